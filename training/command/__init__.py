"""`unpend triage`: training, judging, explaining."""
