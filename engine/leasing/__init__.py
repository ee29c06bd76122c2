"""Leases of batches: renewed while work lasts, given back where it breaks."""
