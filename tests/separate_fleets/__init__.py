"""Scenarios that begin a whole fleet of their own, or several hosts: each file goes to whichever worker is free."""
