"""Notices to staff: what a chat provider is asked, and what its answer makes certain."""
