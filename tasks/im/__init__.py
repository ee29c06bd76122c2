"""Answers that people give in a messenger: whose an account is, the buttons of a card, and what a press comes to."""
