"""Starts the fleet's processes in order, keeps them running, stops them in order, leaves nothing behind."""
