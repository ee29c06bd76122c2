"""Acknowledges messages, and retries until the broker has accepted it."""

from typing import Any, Final

from celery.bootsteps import StartStopStep
from celery.worker.request import Request
from kombu.asynchronous import get_event_loop, set_event_loop

from runtime.logs import logger

_AGAIN_SECONDS: Final = 1.0

_log = logger(__name__)


class CurrentLoop(StartStopStep):  # type: ignore[misc] # Celery publishes no types
    """Makes the worker's event loop the current one again once a lost connection to the broker is back.

    What ends with the connection resets the loop, and kombu then forgets which one is current: the first message
    after it ended a worker without a pool (seen with the tick, at every restart of the broker).
    """

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, consumer: Any) -> None:
        """Called each time the consumer begins, the first time too."""
        if consumer.hub is not None:
            set_event_loop(consumer.hub)


class AcknowledgedRequest(Request):  # type: ignore[misc] # Celery publishes no types
    """A message on its way through a worker.

    Celery logs an acknowledgement that the broker did not take, and goes on. The message then fills the window of
    what may be prefetched for ever, and the worker, alive and answering pings, hears of no other (seen with a broker
    that was frozen for longer than the socket's timeout).
    """

    def acknowledge(self) -> None:
        """Acknowledge the message; what the broker did not take is tried again until its connection is gone."""
        super().acknowledge()
        _until_taken(self.message, self.connection_errors)


def _until_taken(message: Any, errors: tuple[type[Exception], ...]) -> None:
    if message.acknowledged:
        return

    def again() -> None:
        if message.acknowledged or message.channel is None or message.channel.closed:
            # A connection that was closed has given its messages back.
            return
        try:
            message.ack()
        except errors as error:
            _log.warning("the broker does not take an acknowledgement", error=type(error).__name__)
        _until_taken(message, errors)

    get_event_loop().call_later(_AGAIN_SECONDS, again)
