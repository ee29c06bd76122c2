"""What the engine keeps: definitions, runs, steps, leases, clocks."""
