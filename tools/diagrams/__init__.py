"""Pictures of BPMN models: where each element stands, the drawing as SVG, and how far a run has come in it."""
