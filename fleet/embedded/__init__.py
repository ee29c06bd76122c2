"""The embedded PostgreSQL and Valkey of `unpend up`, so that nothing needs to be installed."""
