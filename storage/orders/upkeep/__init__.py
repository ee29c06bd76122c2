"""Removing, forgetting, and encrypting anew what is kept of customers."""
