"""What people do at the console, in a real browser."""
