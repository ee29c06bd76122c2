"""The live state of orders and runs, kept in Redis."""
