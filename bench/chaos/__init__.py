"""`unpend chaos`: a fleet of its own under faults of every kind, and the checker that judges what it did."""
