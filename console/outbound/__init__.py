"""Pages of webhooks: who gets messages, and what became of each."""
