"""Answers that people give in messengers."""
