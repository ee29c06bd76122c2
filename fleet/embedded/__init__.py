"""The PostgreSQL and the Valkey that `unpend up` brings with it, so that nothing needs installing."""
