"""The console's pages and forms over a real database."""
