"""The data at every boundary: messages, HTTP, tool calls, effects, events, definitions."""
