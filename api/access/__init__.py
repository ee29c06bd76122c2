"""The routes about who may call."""
