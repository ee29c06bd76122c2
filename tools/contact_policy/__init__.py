"""Rules for when, how often and by which channel a customer may be contacted (SPEC §8)."""
