"""What is removed in time, and what is encrypted anew."""
