"""BPMN Diagram Interchange: diagrams as files have them, read and written."""
