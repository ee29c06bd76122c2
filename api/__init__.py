"""The door: validates, authenticates, calls the engine; what a tool must do goes to the agent's queue."""
