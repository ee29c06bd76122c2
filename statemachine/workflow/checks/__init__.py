"""What makes a definition one that cannot run."""
