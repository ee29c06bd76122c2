"""Finds mentions of dates in a text, by kind of expression."""
