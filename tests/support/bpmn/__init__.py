"""Models of BPMN by chance, and the XSD they are held against."""
