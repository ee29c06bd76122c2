"""The database, the unit of work, and statements for many rows."""
