"""General workflows: work of any registered kind."""
