"""kombu's Redis transport for workers: what is no message in a queue is dropped, and ends no worker.

A queue on Redis is a list. An entry that was cut short, or that something else wrote there, ends in an exception within
the worker's event loop, and Celery ends the worker. PostgreSQL knows what is to be done: its rows are published again.
"""

import json
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import Channel, SentinelChannel, SentinelTransport, Transport

from runtime.logs import logger

_log = logger(__name__)


class ListChannel(Channel):  # type: ignore[misc] # kombu publishes no types
    """A channel that takes what can be read."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            _log.warning("an entry of a queue is no message and was dropped", error=type(error).__name__)
            raise Empty from error


class ListTransport(Transport):  # type: ignore[misc] # the same
    """A transport that delivers what has the form of a message."""

    Channel = ListChannel

    def _deliver(self, message: Any, queue: str) -> None:
        if not _has_form(message):
            _log.warning("an entry of a queue has not the form of a message and was dropped", queue=queue)
            return
        super()._deliver(message, queue)


class MasterChannel(ListChannel, SentinelChannel):  # type: ignore[misc] # the same
    """The same channel to whatever server the sentinels call the master."""


class MasterTransport(ListTransport, SentinelTransport):  # type: ignore[misc] # the same
    """The same transport through sentinels."""

    Channel = MasterChannel


def install() -> None:
    """Let this process reach Redis by these transports."""
    for scheme, transport in (
        ("redis", ListTransport),
        ("rediss", ListTransport),
        ("sentinel", MasterTransport),
    ):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{transport.__name__}"


def _has_form(message: Any) -> bool:
    match message:
        case {"body": str(), "properties": {"delivery_tag": str(), "delivery_info": {}}}:
            return True
        case _:
            return False
