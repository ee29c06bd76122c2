"""Providers of messages and calls as servers on this machine: they speak the real protocols, and fail on request."""
