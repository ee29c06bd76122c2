"""The data of general work and its agents."""
