"""Logging in and who is let in, over a real database."""
