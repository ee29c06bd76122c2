"""The HTTP API: validates, authenticates, calls the services; the work of tools goes to the agents' queues."""
