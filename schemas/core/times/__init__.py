"""Times that come again and again, by a cron line."""
