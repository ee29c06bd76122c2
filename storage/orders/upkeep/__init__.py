"""Deletes old data, erases customers, and re-encrypts."""
