"""How fast the console is over a database that is full."""
