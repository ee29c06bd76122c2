"""The process that tells other systems and staff."""
