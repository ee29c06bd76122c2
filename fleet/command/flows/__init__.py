"""Commands about general workflows and their definitions."""
