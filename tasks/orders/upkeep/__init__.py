"""Deletes old data, and re-encrypts."""
