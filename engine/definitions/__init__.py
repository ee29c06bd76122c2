"""Versions of definitions: what they may name, and their life from draft to retired."""
