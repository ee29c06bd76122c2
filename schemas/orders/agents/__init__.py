"""What the routes of the five agents take and answer (seed 000 section 四, 五)."""
