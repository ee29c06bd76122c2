"""The routes of executions: runs of workflows begun, looked at, and steered."""
