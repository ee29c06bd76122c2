"""Workflow definitions as people write them."""
