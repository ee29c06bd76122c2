"""Measures a fleet from outside: started as by `unpend up`, and observed through its tables."""
