"""What can go wrong with an embedded server, told to the person who started it."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be prepared; the message says what was wrong, where, and what to do."""


INSTEAD = "or set UNPEND_DATABASE_URL and UNPEND_BROKER_URL to servers that run already"
