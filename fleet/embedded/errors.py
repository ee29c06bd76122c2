"""Errors of embedded servers, with messages for whoever started them."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be prepared; the message says what is wrong, where, and what to do."""


INSTEAD = "or set UNPEND_DATABASE_URL and UNPEND_BROKER_URL to servers that run already"
