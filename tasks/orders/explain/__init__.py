"""What an order waits for, and what comes next."""
