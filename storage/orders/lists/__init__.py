"""Lists of orders and of attempts to reach customers, and the numbers that their rows add up to."""
