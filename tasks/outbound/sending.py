"""The way out of one process: connections to subscribers, how each has answered lately, and how much goes at once."""

import asyncio
import time
import traceback
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from runtime.cipher import UnreadableCiphertext
from runtime.logs import logger
from storage.outbound.outbox import WaitingDelivery
from storage.outbound.subscribers import Secrets
from tasks.outbound.circuit import Circuit
from tasks.outbound.messages import PAUSES, body_of
from tools.webhooks.address import WebhookAddresses
from tools.webhooks.sender import TIMEOUT_SECONDS, DeliveryTry, WebhookMessage, WebhookSender

_log = logger(__name__)

BEGIN_SECONDS: Final = 1.0
"""What has not begun within so long of its batch is left to a later one, so that a batch lasts one time limit.

A subscriber that has taken something of the batch is sent more for as long as others may be waited for.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimits:
    """How much goes at once, and how patient we are."""

    timeout_seconds: float = TIMEOUT_SECONDS
    most_at_once: int = 16
    most_to_one: int = 4
    pauses: tuple[timedelta, ...] = PAUSES


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a subscriber's messages go, and what they are signed with."""

    subscriber_id: str
    url: str
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that is to be sent now, and where it goes."""

    subscription: Subscription
    waiting: WaitingDelivery


@dataclass(slots=True)
class Webhooks:
    """Sends batches of deliveries; belongs to one thread. Nothing is connected before the first batch."""

    limits: SendingLimits = field(default_factory=SendingLimits)
    addresses: WebhookAddresses = field(default_factory=WebhookAddresses)
    judge: Callable[[str, str], None] | None = None
    _circuits: dict[str, Circuit] = field(default_factory=dict)
    _open: tuple[asyncio.Runner, WebhookSender] | None = None

    def circuit(self, subscriber_id: str) -> Circuit:
        """How this subscriber has answered lately."""
        return self._circuits.setdefault(subscriber_id, Circuit(self.limits.most_to_one))

    def send_all(self, parcels: Mapping[int, Parcel]) -> Mapping[int, DeliveryTry]:
        """Send these at the same time; one that may not go now is not in the answer."""
        if not parcels:
            return {}
        runner, sender = self._open = self._open or self._connect()
        finished = False
        try:
            results = runner.run(self._send_all(sender, parcels), context=copy_context())
            finished = True
            return results
        finally:
            if not finished:
                # What was under way must not go on beside a later batch.
                self._open = None
                self._circuits.clear()
                runner.close()

    def close(self) -> None:
        """Close the connections."""
        if self._open is not None:
            runner, sender = self._open
            self._open = None
            runner.run(sender.close())
            runner.close()

    def _connect(self) -> tuple[asyncio.Runner, WebhookSender]:
        limits = self.limits
        sender = WebhookSender(
            timeout_seconds=limits.timeout_seconds,
            most_at_once=limits.most_at_once,
            addresses=self.addresses,
            judge=self.judge,
        )
        return asyncio.Runner(), sender

    async def _send_all(
        self, sender: WebhookSender, parcels: Mapping[int, Parcel]
    ) -> Mapping[int, DeliveryTry]:
        began = time.monotonic()
        answering: set[str] = set()
        overall = asyncio.Semaphore(self.limits.most_at_once)
        to_one = {
            parcel.subscription.subscriber_id: asyncio.Semaphore(self.limits.most_to_one)
            for parcel in parcels.values()
        }

        async def in_turn(parcel: Parcel) -> DeliveryTry | None:
            subscriber_id = parcel.subscription.subscriber_id
            circuit = self.circuit(subscriber_id)
            async with to_one[subscriber_id], overall:
                now = time.monotonic()
                begins_for = self.limits.timeout_seconds if subscriber_id in answering else BEGIN_SECONDS
                if now - began > begins_for or circuit.room(now) <= 0:
                    return None
                circuit.under_way += 1
                result = await _send(sender, parcel)
                circuit.note(time.monotonic(), delivered=result.delivered)
                if result.delivered:
                    answering.add(subscriber_id)
                return result

        results = await asyncio.gather(*(in_turn(parcel) for parcel in parcels.values()))
        return {step_id: r for step_id, r in zip(parcels, results, strict=True) if r is not None}


async def _send(sender: WebhookSender, parcel: Parcel) -> DeliveryTry:
    """Send one; whatever goes wrong is in the answer, a fault of ours too."""
    waiting, subscription = parcel.waiting, parcel.subscription
    try:
        message = WebhookMessage(
            message_id=waiting.delivery_id,
            url=subscription.url,
            body=body_of(waiting.payload),
            secrets=subscription.secrets.open(),
        )
    except UnreadableCiphertext as error:
        result = DeliveryTry(status=None, error=str(error))
    else:
        (answer,) = await asyncio.gather(sender.send(message), return_exceptions=True)
        if isinstance(answer, DeliveryTry):
            result = answer
        elif isinstance(answer, Exception):
            result = _fault_of_ours(waiting, answer)
        else:
            raise answer
    if not result.delivered:
        _log.info(
            "webhook not delivered",
            subscriber_id=subscription.subscriber_id,
            delivery_id=waiting.delivery_id,
            tries=waiting.tries + 1,
            status=result.status,
            error=result.error,
        )
    return result


def _fault_of_ours(waiting: WaitingDelivery, fault: Exception) -> DeliveryTry:
    """What is kept of a try that our own code broke off; its message is left out: it may hold the address."""
    name = type(fault).__name__
    where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(fault.__traceback__)]
    _log.error("a webhook was broken off", delivery_id=waiting.delivery_id, fault=name, where=where)
    return DeliveryTry(status=None, error=f"a fault of ours: {name}")
