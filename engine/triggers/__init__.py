"""What begins runs by itself: entries of the inbox, and schedules."""
