"""BPMN 2.0 in and out: files become definitions with what is open in them, and definitions become files."""
