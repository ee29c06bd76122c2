"""Suspended orders, the first product."""
