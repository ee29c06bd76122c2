"""Compares this engine with others on one machine: the same PostgreSQL, the same broker, rounds in turn."""
