"""The rules of workflows: grammar, planner, joins, and the states of runs and steps."""
