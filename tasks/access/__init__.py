"""The service about who may call."""
