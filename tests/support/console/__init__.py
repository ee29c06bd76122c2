"""The console over one process's parts."""
