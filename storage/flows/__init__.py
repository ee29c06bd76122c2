"""The tables of general work and its agents."""
