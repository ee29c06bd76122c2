"""The faults: their plan, how each is made, and what was made when."""
