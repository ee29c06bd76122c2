"""The routes of general work and of the agents that do it."""
