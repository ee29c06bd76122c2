"""Commands about who may call."""
