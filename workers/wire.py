"""The Publisher over Celery: messages hold ids only; reads the depth of each queue."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import redis
from amqp.exceptions import AMQPError, NotFound
from celery import Celery
from kombu import Connection
from kombu.exceptions import KombuError, OperationalError
from kombu.pools import connections, producers

from engine.publisher import Message, WireUnavailable

_AWAY: Final = (OperationalError, KombuError, redis.RedisError, AMQPError, OSError)
"""What Celery and its transports raise when the broker is away; connection and time-out errors are OSErrors."""

_RETRY: Final = {"max_retries": 1, "interval_start": 0.05, "interval_step": 0.1, "interval_max": 0.2}

_PATIENCE_SECONDS: Final = 1.0
"""How long a broker may take to be reached and to answer: whoever publishes has committed, and is waited for."""
_SILENCE_SECONDS: Final = 2.0
"""How long one that did not answer is not asked again; the tick publishes meanwhile, once it can."""

_SHOWN: Final = 3
"""Rows of a message that Flower names; of the others it tells the number."""


class CeleryWire:
    """Sends messages over connections of its own; PostgreSQL finds what could not be sent."""

    def __init__(self, app: Celery, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the app whose tasks the messages name; nothing is connected yet."""
        self._app = app
        self._clock = clock
        self._silent_until = -math.inf
        self._link: Connection = app.connection_for_write(
            connect_timeout=_PATIENCE_SECONDS,
            transport_options={
                "socket_timeout": _PATIENCE_SECONDS,
                "socket_connect_timeout": _PATIENCE_SECONDS,
                # The same in the words of AMQP.
                "read_timeout": _PATIENCE_SECONDS,
                "write_timeout": _PATIENCE_SECONDS,
            },
        )

    def publish(self, messages: Sequence[Message]) -> None:
        """Send these messages in order, over one producer.

        Raises:
            WireUnavailable: the broker did not take one; some may have been sent.
        """
        with self._answering(), producers[self._link].acquire(block=True) as producer:
            for message in messages:
                self._app.send_task(
                    message.action,
                    args=[[list(key) for key in message.keys]],
                    queue=message.queue,
                    producer=producer,
                    retry=True,
                    retry_policy=_RETRY,
                    argsrepr=_shown(message),
                )

    def depths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Messages waiting in each queue.

        Raises:
            WireUnavailable: the broker does not answer.
        """
        with self._channel() as channel:
            client = getattr(channel, "client", None)
            if client is None:
                return self._depths_in_amqp(channel, queues)
            with client.pipeline(transaction=False) as pipeline:
                for queue in queues:
                    pipeline.llen(queue)
                return dict(zip(queues, (int(depth) for depth in pipeline.execute()), strict=True))

    def purge(self, queue: str) -> None:
        """Drop every message that waits in this queue.

        Raises:
            WireUnavailable: the broker does not answer.
        """
        with self._channel() as channel:
            channel.queue_purge(queue)

    def _depths_in_amqp(self, channel: Any, queues: Sequence[str]) -> Mapping[str, int]:
        """The same where queues are no lists; one that no worker has made yet is made, and empty."""
        depths: dict[str, int] = {}
        for queue in queues:
            try:
                depths[queue] = int(channel.queue_declare(queue, passive=True).message_count)
            except NotFound:
                # The broker has closed the channel with its answer.
                channel = channel.connection.channel()
                self._app.amqp.queues[queue](channel).declare()
                depths[queue] = 0
        return depths

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        """A channel for a question.

        Raises:
            WireUnavailable: the broker does not answer.
        """
        with self._answering(), connections[self._link].acquire(block=True) as connection:
            channel = connection.default_channel
            # kombu replaces a connection whose question failed: a late answer is nobody's.
            yield channel
            if not getattr(channel, "is_open", True):
                connection.collect()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """A question to a broker that is believed to answer.

        Raises:
            WireUnavailable: it does not, or did not a moment ago.
        """
        if self._clock() < self._silent_until:
            raise WireUnavailable("the broker did not answer a moment ago")
        try:
            yield
        except _AWAY as error:
            self._silent_until = self._clock() + _SILENCE_SECONDS
            raise WireUnavailable(f"{type(error).__name__}: {error}") from error


def _shown(message: Message) -> str:
    """What Flower, events and logs show of a message: what its first rows are about, ids only."""
    first = zip(message.subjects[:_SHOWN], message.keys[:_SHOWN], strict=True)
    named = [f"{subject_id} step {key.step_id}" for subject_id, key in first]
    further = len(message.keys) - len(named)
    return f"({', '.join([*named, *([f'{further} more'] if further else [])])})"
