"""Pages about who is let in: logging in and out, people, keys, the audit log."""
