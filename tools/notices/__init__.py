"""Notices to staff through chat providers."""
