"""The rules: states, events, the transition table, workflow grammar, planner. Standard library only, no I/O."""
