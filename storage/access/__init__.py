"""Keys, repeated requests, and the audit of the installation."""
