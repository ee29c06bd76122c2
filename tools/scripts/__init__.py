"""Scripts for customers: versioned, checked when they are loaded, and filled in for one order."""
