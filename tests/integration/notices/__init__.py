"""Notices to staff, over a real database and local providers."""
