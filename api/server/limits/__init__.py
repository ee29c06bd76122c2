"""What bounds a request: its connection, its size, its rate, its repetition, failed logins."""
