"""Producers: each sends orders by one entry point, and sends again until it knows that they are accepted."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import redis
from kombu import Connection
from kombu.exceptions import KombuError

from bench.chaos.customers import ChaosOrder, OrderEntry
from bench.chaos.fleet import ChaosFleet
from fleet.installation import FleetNotRunning
from storage.core.unavailable import StorageUnavailable
from storage.orders.consistency.violations import Consistency
from workers.intake.queue import EXCHANGE, QUEUE
from workers.intake.stream import STREAM

_LOOK: Final = 0.2
_AGAIN_SECONDS: Final = 5.0
"""How long a producer waits to see a message taken in before it sends it again."""
_LARGEST_BATCH: Final = 100
_ANSWER_SECONDS: Final = 15.0
_COMMAND_EVERY: Final = 5.0
"""Seconds for which orders are gathered into one file."""
_SUBMIT: Final = "import sys; from fleet.command.app import main; sys.argv[0] = 'unpend'; main()"
_AWAY: Final = (
    OSError,
    FleetNotRunning,
    KombuError,
    StorageUnavailable,
    httpx2.TransportError,
    redis.RedisError,
    subprocess.TimeoutExpired,
)
"""What sending ends in while what it needs is away."""
_FIRST_REFUSAL: Final = 400
_AGAIN_LATER: Final = (429, 500, 502, 503, 504)


@dataclass(slots=True)
class SentOrders:
    """What all producers sent and know."""

    times: Counter[str] = field(default_factory=Counter)
    """How often each order was sent."""
    accepted: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    """Orders that an entry point refused for good, with what it said."""


class Producer:
    """Sends its orders by one entry point, from `run`, in a thread of its own."""

    def __init__(
        self, fleet: ChaosFleet, entry: OrderEntry, orders: Sequence[ChaosOrder], sent: SentOrders
    ) -> None:
        self._fleet = fleet
        self._entry = entry
        self._left = list(reversed(orders))
        self._waiting: dict[str, ChaosOrder] = {}
        self._sent_at: dict[str, float] = {}
        self._sent = sent
        self._sending: Mapping[OrderEntry, Callable[[Sequence[ChaosOrder]], None]] = {
            OrderEntry.START: lambda some: self._post_each("agents/orchestrator/tasks/start", some),
            OrderEntry.TASKS: lambda some: self._post_each("tasks", some),
            OrderEntry.BATCH: self._post_batch,
            OrderEntry.STREAM: self._add_to_stream,
            OrderEntry.QUEUE: self._publish,
            OrderEntry.COMMAND: self._submit,
        }

    def run(self, stopped: threading.Event) -> None:
        """Send every order when it is due, and those that are not accepted again, until all are."""
        began = time.monotonic()
        pause = _COMMAND_EVERY if self._entry is OrderEntry.COMMAND else _LOOK
        while (self._left or self._waiting) and not stopped.wait(pause):
            now = time.monotonic()
            due = []
            while self._left and began + self._left[-1].at <= now:
                due.append(self._left.pop())
            self._waiting |= {order.task_id: order for order in due}
            unanswered = [
                order
                for task_id, order in self._waiting.items()
                if now - self._sent_at.get(task_id, now - _AGAIN_SECONDS) >= _AGAIN_SECONDS
            ]
            for start in range(0, len(unanswered), _LARGEST_BATCH):
                self._send(unanswered[start : start + _LARGEST_BATCH])
            self._confirm()

    def _send(self, some: Sequence[ChaosOrder]) -> None:
        now = time.monotonic()
        for order in some:
            self._sent_at[order.task_id] = now
        self._sent.times.update(order.task_id for order in some)
        with contextlib.suppress(*_AWAY):
            self._sending[self._entry](some)

    def _accept(self, task_id: str) -> None:
        order = self._waiting[task_id]
        if order.repeated and self._sent.times[task_id] == 1:
            # Whoever has an answer may still send again: as if it had been lost.
            self._sent_at[task_id] = 0.0
            return
        self._sent.accepted.add(task_id)
        del self._waiting[task_id]

    def _refuse(self, task_id: str, said: str) -> None:
        self._sent.refused[task_id] = said
        del self._waiting[task_id]

    def _confirm(self) -> None:
        """Messages are answered by nobody: whoever sent them looks whether the orders are there."""
        if self._entry not in (OrderEntry.STREAM, OrderEntry.QUEUE) or not self._waiting:
            return
        with contextlib.suppress(*_AWAY), self._fleet.database.transaction() as work:
            missing = set(Consistency(work).missing(self._waiting))
            for task_id in self._waiting.keys() - missing:
                self._accept(task_id)

    def _client(self) -> httpx2.Client:
        document = self._fleet.document
        return httpx2.Client(
            base_url=str(document["api"]),
            headers={"Authorization": f"Bearer {document['keys']['admin']}"},
            timeout=_ANSWER_SECONDS,
            trust_env=False,
        )

    def _post_each(self, path: str, some: Sequence[ChaosOrder]) -> None:
        with self._client() as client:
            for order in some:
                answer = client.post(path, json=order.payload)
                self._read_answer(order.task_id, answer.status_code, answer.text)

    def _read_answer(self, task_id: str, status: int, said: str) -> None:
        if status in _AGAIN_LATER:
            return
        if status < _FIRST_REFUSAL:
            self._accept(task_id)
        else:
            self._refuse(task_id, f"{status} {said[:200]}")

    def _post_batch(self, some: Sequence[ChaosOrder]) -> None:
        with self._client() as client:
            answer = client.post("tasks/batch", json={"tasks": [order.payload for order in some]})
            if answer.status_code in _AGAIN_LATER:
                return
            document: Any = answer.json()
        if answer.status_code >= _FIRST_REFUSAL:
            for order in some:
                self._refuse(order.task_id, f"{answer.status_code} {answer.text[:200]}")
            return
        for order, result in zip(some, document["results"], strict=True):
            if result["error"] is None:
                self._accept(order.task_id)
            else:
                self._refuse(order.task_id, str(result["error"])[:200])

    def _add_to_stream(self, some: Sequence[ChaosOrder]) -> None:
        client = redis.Redis.from_url(self._fleet.broker_url, socket_timeout=5)
        with contextlib.closing(client), client.pipeline(transaction=False) as pipeline:
            for order in some:
                pipeline.xadd(STREAM, {"payload": json.dumps(order.payload, ensure_ascii=False)})
            pipeline.execute()

    def _publish(self, some: Sequence[ChaosOrder]) -> None:
        options = {"socket_timeout": 5, "socket_connect_timeout": 5}
        with Connection(self._fleet.broker_url, transport_options=options) as connection:
            producer = connection.Producer(serializer="json")
            for order in some:
                producer.publish(
                    order.payload, exchange=EXCHANGE, routing_key=QUEUE.routing_key, declare=[QUEUE]
                )

    def _submit(self, some: Sequence[ChaosOrder]) -> None:
        file = Path(self._fleet.folder, f"submitted-{time.monotonic_ns()}.jsonl")
        lines = (json.dumps(order.payload, ensure_ascii=False) for order in some)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        folder = str(self._fleet.installation.data_dir)
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own words
            [sys.executable, "-c", _SUBMIT, "submit", str(file), "--data-dir", folder],
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS * 4,
            check=False,
        )
        if done.returncode == 0:
            for order in some:
                self._accept(order.task_id)


def producers_of(fleet: ChaosFleet, orders: Sequence[ChaosOrder], sent: SentOrders) -> list[Producer]:
    """One producer for each entry point."""
    return [
        Producer(fleet, entry, [order for order in orders if order.entry is entry], sent)
        for entry in OrderEntry
    ]
