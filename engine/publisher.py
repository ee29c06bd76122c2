"""The port to the broker: messages that name rows, and the depths of queues."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.engine.queues import ToPublish
from storage.engine.steps import StepKey


@dataclass(frozen=True, slots=True)
class Message:
    """A message: rows of one action, by step and delivery."""

    queue: str
    action: str
    keys: tuple[StepKey, ...]
    subjects: tuple[str, ...]
    """For each row the id of what it is about: an order's task_id, or its run's id."""


class WireUnavailable(Exception):
    """The broker does not answer; rows stay where they are and the tick publishes them later."""


class Publisher(Protocol):
    """The operations that the engine needs of a broker."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Send these messages in this order.

        Raises:
            WireUnavailable: some may not have been sent.
        """

    def depths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Messages waiting in each queue.

        Raises:
            WireUnavailable: the broker does not answer.
        """


def into_messages(queue: str, rows: Iterable[ToPublish], largest: Callable[[str], int]) -> list[Message]:
    """Pack rows of a queue into messages, most urgent first: one action each; a row that crashed a worker alone."""
    open_batches: dict[str, list[ToPublish]] = {}
    order: list[list[ToPublish]] = []
    for row in rows:
        if row.alone:
            order.append([row])
            continue
        batch = open_batches.get(row.action)
        if batch is None or len(batch) >= largest(row.action):
            batch = open_batches[row.action] = []
            order.append(batch)
        batch.append(row)
    return [
        Message(
            queue, batch[0].action, tuple(row.key for row in batch), tuple(row.subject_id for row in batch)
        )
        for batch in order
    ]


def messages_of(rows: Iterable[tuple[str, ToPublish]], largest_batch: Callable[[str], int]) -> list[Message]:
    """Return the messages for rows of several queues, each given with its queue."""
    by_queue: dict[str, list[ToPublish]] = {}
    for queue, row in rows:
        by_queue.setdefault(queue, []).append(row)
    return [
        message for queue, own in by_queue.items() for message in into_messages(queue, own, largest_batch)
    ]
