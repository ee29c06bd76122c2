"""The routes for people: reviews, alerts, rejected input."""
