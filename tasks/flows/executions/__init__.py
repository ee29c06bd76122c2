"""Executions as people look at them, whether by the API or on a page: masked, and read from rows."""
