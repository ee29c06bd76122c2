"""What each element of BPMN is among our steps: one small function an element, for imports and exports alike."""
