"""The exception for an unreachable PostgreSQL or an aborted statement; any other error is a bug."""

from sqlalchemy.exc import DBAPIError


class StorageUnavailable(Exception):
    """PostgreSQL did not answer, or ended the transaction; it may be tried again as a whole."""


def summary(error: DBAPIError) -> str:
    """The first line of what PostgreSQL or its driver said; never what was being written."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
