"""People and the questions of runs."""
