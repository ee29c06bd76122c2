"""What customers are told: versioned scripts, checked when they are loaded, and filled for one order."""
