"""Messengers: what they send of buttons and messages, and what they are answered."""
