"""What is compared, moved and replayed between the versions of a definition."""
