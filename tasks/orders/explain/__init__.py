"""Explains what an order waits for, and what happens next."""
