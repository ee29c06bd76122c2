"""The tables of reviews, alerts and rejects."""
