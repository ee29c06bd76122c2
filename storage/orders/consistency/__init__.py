"""Whether the rows of orders agree with one another and with the rules, and what was rescued."""
