"""What runs wait for and send one another."""
