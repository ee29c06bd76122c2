"""Scenarios that begin a whole fleet of their own, or several hosts."""
