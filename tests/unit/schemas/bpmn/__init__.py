"""Tests of BPMN in and out."""
