"""The console's templates, words and scripts, without a database."""
