"""Routes by which outside agents ask for steps and report on them."""
