"""`unpend triage`: training, evaluation, explanation."""
