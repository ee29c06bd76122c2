"""The heart: accept, claim, record, complete, cancel, wake, over a Publisher port. Knows no Celery, HTTP or orders."""
