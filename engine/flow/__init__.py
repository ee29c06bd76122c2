"""What follows when steps end: successors, joins, scopes, what breaks in."""
