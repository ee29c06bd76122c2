"""Sends webhook deliveries: the first that waits of each mailbox, many at once, and says what becomes of it."""

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from engine.actions import ActionDeclaration, Batch, EffectClass
from engine.effects import EffectRefusal, EffectWriter
from engine.outcomes import Done, Outcome, Snooze
from runtime.clock import Clock
from runtime.logs import logger
from schemas.outbound.effects import DeliveryAttempt, Mailbox, MailboxTried
from schemas.people.effects import AlertRaised
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow
from storage.outbound.outbox import DAY, Outbox, WaitingDelivery
from storage.outbound.subscribers import Secrets, Subscribers
from storage.people.alerts import Alerts
from tasks.outbound.context import OutboundContext
from tasks.outbound.messages import pause_after
from tasks.outbound.sending import Parcel, Subscription
from tools.webhooks.sender import TIMEOUT_SECONDS, DeliveryTry

_log = logger(__name__)

_GONE: Final = "the subscriber answered 410 Gone"


class DeliveriesWait(Exception):
    """More deliveries of a mailbox wait, so its step is done anew."""


def mailbox_of(variables: Mapping[str, Any]) -> Mailbox:
    """The mailbox that a run of this action serves."""
    return Mailbox(
        subscriber_id=str(variables.get("subscriber_id")),
        task_id=variables.get("task_id"),
        delivery_id=variables.get("delivery_id"),
    )


def _load(_: OutboundContext, work: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, Parcel]:
    """The first waiting delivery of each step's mailbox, with where it goes; none for a subscriber that is gone."""
    mailboxes = {step.step_id: mailbox_of(step.variables) for step in steps}
    subscriptions = {
        subscriber_id: found
        for subscriber_id in {mailbox.subscriber_id for mailbox in mailboxes.values()}
        if (found := _subscription(work, subscriber_id)) is not None
    }
    waiting = Outbox(work).next_of(mailboxes)
    return {
        step_id: Parcel(subscriptions[mailbox.subscriber_id], waiting[step_id])
        for step_id, mailbox in mailboxes.items()
        if mailbox.subscriber_id in subscriptions and step_id in waiting
    }


def _subscription(work: UnitOfWork, subscriber_id: str) -> Subscription | None:
    subscriber = Subscribers(work).find(subscriber_id)
    secrets: Secrets | None = Subscribers(work).secrets(subscriber_id)
    if subscriber is None or secrets is None or not subscriber.active:
        return None
    return Subscription(subscriber_id, subscriber.url, secrets)


def _deliver(context: OutboundContext, batch: Batch) -> Mapping[int, Outcome]:
    """Send what the batch holds; what may not go now comes back when it may."""
    began = time.monotonic()
    results = context.webhooks.send_all(batch.subjects)
    ended = time.monotonic()
    judgement = _Judgement(context, batch.moments.database_now + timedelta(seconds=ended - began), ended)
    return {
        step.step_id: judgement.outcome(step, batch.subjects.get(step.step_id), results.get(step.step_id))
        for step in batch.steps
    }


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What results come to at this moment, on the database's clock and on this process's own."""

    context: OutboundContext
    now: datetime
    monotonic: float

    def outcome(self, step: StepRow, parcel: Parcel | None, result: DeliveryTry | None) -> Outcome:
        """What becomes of a step."""
        mailbox = mailbox_of(step.variables)
        if parcel is None:
            return Done(effects=(MailboxTried(run_id=step.run_id, mailbox=mailbox),))
        circuit = self.context.webhooks.circuit(parcel.subscription.subscriber_id)
        if result is None:
            pause = max(circuit.paused_until - self.monotonic, 0.0) if circuit.is_open else 0.0
            until = self.now + timedelta(seconds=pause)
            return Snooze(until=until, clock=Clock.DATABASE, reason="the subscriber is given no more at once")
        tried = self._attempt(parcel.waiting, result, unreachable=circuit.is_open)
        effects = (MailboxTried(run_id=step.run_id, mailbox=mailbox, attempt=tried),)
        if tried.state != "waiting":
            return Done(effects=effects)
        return Snooze(until=tried.due_at, clock=Clock.DATABASE, reason=str(tried.error), effects=effects)

    def _attempt(
        self, waiting: WaitingDelivery, result: DeliveryTry, *, unreachable: bool
    ) -> DeliveryAttempt:
        until = waiting.created_at + DAY
        chance = random.random()  # noqa: S311 - spreads retries, keeps no secret
        pause = pause_after(
            waiting.tries + 1, result.retry_after_seconds, chance, self.context.webhooks.limits.pauses
        )
        over = result.gone or self.now >= until
        return DeliveryAttempt(
            delivery_id=waiting.delivery_id,
            tries=waiting.tries,
            state="delivered" if result.delivered else "given_up" if over else "waiting",
            status=result.status,
            error=_GONE if result.gone else result.error,
            due_at=min(self.now + pause, until),
            gone=result.gone,
            unreachable=unreachable,
        )


def _record(work: UnitOfWork, given: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
    """Write what came of tries; a step in whose mailbox more waits, and whose own delivery ended, is done anew."""
    effects: list[tuple[int, MailboxTried]] = [(step_id, effect) for step_id, effect in given]
    by_delivery = {e.attempt.delivery_id: e for _, e in effects if e.attempt is not None}
    tries = [effect.attempt for effect in by_delivery.values() if effect.attempt is not None]
    failing = {
        e.mailbox.subscriber_id for e in by_delivery.values() if e.attempt and e.attempt.state == "given_up"
    }
    if failing:
        Subscribers(work).lock(sorted(failing))
    written = Outbox(work).conclude(tries)
    Alerts(work).raise_all(_lost(work, [by_delivery[delivery_id] for delivery_id in sorted(written)]))
    ended = [(s, e) for s, e in effects if e.attempt is None or e.attempt.state != "waiting"]
    return {
        step_id: EffectRefusal(error=DeliveriesWait("more deliveries wait"), again=True)
        for step_id in Outbox(work).with_more(ended)
    }


def _lost(work: UnitOfWork, tried: Sequence[MailboxTried]) -> list[AlertRaised]:
    """Give up what is lost with these tries; the alerts that say so, one a subscriber."""
    given_up = [
        (e.mailbox.subscriber_id, e.attempt) for e in tried if e.attempt and e.attempt.state == "given_up"
    ]
    gone = {subscriber_id for subscriber_id, attempt in given_up if attempt.gone}
    unreachable = {subscriber_id for subscriber_id, attempt in given_up if attempt.unreachable}
    alerts = []
    lost = Counter(subscriber_id for subscriber_id, _ in given_up if subscriber_id not in gone)
    for subscriber_id, tried_in_vain in sorted(lost.items()):
        number = tried_in_vain
        if subscriber_id in unreachable:
            # It has not answered for a day: what is as old is not worth a try each.
            number += Outbox(work).give_up_old(subscriber_id, "the subscriber did not answer for a day")
        text = f"订阅方 {subscriber_id} 的 {number} 条消息一天内未能送达, 已放弃"
        alerts.append(_alert("webhook_given_up", text, subscriber_id, number))
    for subscriber_id in sorted(gone):
        if Subscribers(work).deactivate(subscriber_id):
            number = Outbox(work).give_up_all(subscriber_id, _GONE)
            text = f"订阅方 {subscriber_id} 回应 410 Gone, 已停用"
            alerts.append(_alert("webhook_subscriber_gone", text, subscriber_id, number))
    return alerts


def _alert(kind: str, message: str, subscriber_id: str, number: int) -> AlertRaised:
    return AlertRaised(
        alert_type=kind,
        severity="warning",
        message=message,
        escalated_to="operations",
        metadata={"subscriber_id": subscriber_id, "given_up": number},
    )


ACTION: Final[ActionDeclaration[OutboundContext]] = ActionDeclaration(
    name="outbound.deliver_webhook",
    effect=EffectClass.IDEMPOTENT,
    load=_load,
    work=_deliver,
    work_seconds=2 * TIMEOUT_SECONDS,
)
WRITER: Final = EffectWriter(kinds=(MailboxTried,), write=_record, evidence=_record, errors=(DeliveriesWait,))
