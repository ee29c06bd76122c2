"""Starts the fleet's processes in order, restarts them when they die, and stops them in order."""
