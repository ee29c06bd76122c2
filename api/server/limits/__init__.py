"""What bounds a request: its size, its rate, its repetition, failed logins."""
