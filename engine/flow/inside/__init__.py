"""What is in steps and between branches: scopes, loops, joins, and what is cancelled with them."""
