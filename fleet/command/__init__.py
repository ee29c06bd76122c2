"""The `unpend` command, one file a command."""
