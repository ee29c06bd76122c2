"""Where the elements of a model go that has no diagram of its own: from left to right, level by level."""
