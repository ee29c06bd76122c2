"""What other systems are sent."""
