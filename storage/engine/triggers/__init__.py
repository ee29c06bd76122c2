"""What begins runs by itself: the inbox, kept messages, schedules."""
