"""Settings, clock, ids, logging, metrics: small things below everything."""
