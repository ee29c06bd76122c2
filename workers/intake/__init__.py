"""The process that takes messages in."""
