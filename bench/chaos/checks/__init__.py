"""The checker: whether the law held, from PostgreSQL, the provider's ledger and what producers sent."""
