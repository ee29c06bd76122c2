"""The XML of BPMN files: bytes become a tree of elements with their lines, and a tree becomes bytes."""
