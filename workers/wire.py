"""The Publisher over Celery: ids only in the messages, and how deep each queue is."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import redis
from amqp.exceptions import AMQPError
from celery import Celery
from kombu.exceptions import KombuError, OperationalError

from engine.publisher import Message, WireUnavailable

_AWAY: Final = (OperationalError, KombuError, redis.RedisError, AMQPError, OSError)
"""What Celery and its transports raise when the broker is away; connection and time-out errors are OSErrors."""

_RETRY: Final = {"max_retries": 1, "interval_start": 0.05, "interval_step": 0.1, "interval_max": 0.2}


class CeleryWire:
    """Sends messages through the app's producers; PostgreSQL finds what could not be sent."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def publish(self, messages: Sequence[Message]) -> None:
        """Send these messages in order, over one producer.

        Raises:
            WireUnavailable: the broker did not take one; some may have been sent.
        """
        try:
            with self._app.producer_or_acquire(None) as producer:
                for message in messages:
                    self._app.send_task(
                        message.action,
                        args=[[list(key) for key in message.keys]],
                        queue=message.queue,
                        producer=producer,
                        retry=True,
                        retry_policy=_RETRY,
                        argsrepr=f"({len(message.keys)} rows)",
                    )
        except _AWAY as error:
            raise WireUnavailable(f"{type(error).__name__}: {error}") from error

    def depths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Messages waiting in each queue.

        Raises:
            WireUnavailable: the broker does not answer.
        """
        try:
            with self._app.connection_or_acquire(None) as connection:
                return _depths(connection.default_channel, queues)
        except _AWAY as error:
            raise WireUnavailable(f"{type(error).__name__}: {error}") from error

    def purge(self, queue: str) -> None:
        """Drop every message that waits in this queue.

        Raises:
            WireUnavailable: the broker does not answer.
        """
        try:
            with self._app.connection_or_acquire(None) as connection:
                connection.default_channel.queue_purge(queue)
        except _AWAY as error:
            raise WireUnavailable(f"{type(error).__name__}: {error}") from error


def _depths(channel: Any, queues: Sequence[str]) -> Mapping[str, int]:
    client = getattr(channel, "client", None)
    if client is not None and hasattr(client, "pipeline"):
        with client.pipeline(transaction=False) as pipeline:
            for queue in queues:
                pipeline.llen(queue)
            return dict(zip(queues, (int(depth) for depth in pipeline.execute()), strict=True))
    return {queue: int(channel.queue_declare(queue, passive=True).message_count) for queue in queues}
