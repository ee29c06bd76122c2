"""Events on their way to everyone who listens to this process."""
