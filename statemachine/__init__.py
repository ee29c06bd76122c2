"""The rules: states, events, transitions, workflow grammar, planner. Standard library only, no I/O."""
