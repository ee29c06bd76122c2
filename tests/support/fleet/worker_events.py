"""What Celery workers tell Flower, as a test hears it."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from celery import Celery


@contextmanager
def hearing(app: Celery, kind: str) -> Iterator[Callable[[], list[Mapping[str, Any]]]]:
    """What returns all events of this kind that workers have sent since; each call waits a second for more."""
    heard: list[Mapping[str, Any]] = []
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={kind: heard.append})
        with receiver.consumer_context(wakeup=False) as (listening, _, _):

            def listen() -> list[Mapping[str, Any]]:
                with contextlib.suppress(TimeoutError):
                    listening.drain_events(timeout=1)
                return heard

            # The subscription is made by the first look.
            listen()
            yield listen
