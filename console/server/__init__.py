"""What every page of the console has in common: who is logged in, the frame, forms, words and errors."""
