"""Commands about what leaves: webhooks and notices."""
