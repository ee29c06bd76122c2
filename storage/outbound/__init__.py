"""What leaves: events, deliveries to subscribers, notices to staff."""
