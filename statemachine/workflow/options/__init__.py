"""What steps and workflows may ask for beside what leads where."""
