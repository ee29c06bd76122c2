"""What the API is sent and what it answers, one file a room; requests refuse unknown fields by name."""
