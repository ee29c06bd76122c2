"""Pages of workflows and their executions."""
