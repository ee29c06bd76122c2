"""The data of events and webhooks."""
