"""Aliyun: text messages and calls."""
