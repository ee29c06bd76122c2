"""What is kept of general work and its agents."""
