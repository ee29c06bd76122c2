"""The one exception that says PostgreSQL cannot be reached or gave up a statement; everything else is a bug."""


class StorageUnavailable(Exception):
    """PostgreSQL did not answer, or ended the transaction; it may be tried again as a whole."""
