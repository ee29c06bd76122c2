"""Pages of what waits for people: reviews and alerts."""
