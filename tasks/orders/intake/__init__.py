"""Orders on their way in: validated, accepted once, refused with the reason."""
