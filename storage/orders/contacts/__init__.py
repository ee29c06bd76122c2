"""Contacts with customers, and what forbids them."""
