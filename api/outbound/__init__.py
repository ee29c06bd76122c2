"""The routes of what leaves: events as they happen, and subscribers of webhooks."""
