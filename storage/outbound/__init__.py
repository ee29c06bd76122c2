"""The tables of outgoing data: events, webhook deliveries, notices."""
