"""Simulated customers: personas, scripted behaviour, a channel within the process."""
