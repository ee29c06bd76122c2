"""What people do about alerts, reviews and rejected input, whatever product they come from."""
