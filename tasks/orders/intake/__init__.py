"""Accepts orders: validated, accepted once, or refused with the reason."""
