"""Measuring a fleet from outside: it is started as `unpend up` starts it, and watched through its tables."""
