"""The data of reviews, alerts and rejected input."""
