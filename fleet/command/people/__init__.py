"""Commands for people: reviews, alerts, rejected input."""
