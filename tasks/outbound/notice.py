"""Sends a notice to staff, and says what becomes of it."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from engine.actions import ActionDeclaration, Batch, EffectClass
from engine.effects import NOTHING_REFUSED, EffectRefusal, EffectWriter
from engine.outcomes import Done, Outcome, Snooze
from runtime.clock import Clock
from runtime.logs import logger
from schemas.outbound.effects import NoticeTried
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow
from storage.outbound.notices import NO_ROUTE, VOID, Notices, WaitingNotice
from storage.outbound.outbox import DAY
from tasks.im.cards import CardButton
from tasks.outbound.context import OutboundContext
from tasks.outbound.messages import pause_after
from tasks.outbound.notifying import MOST_AT_ONCE, DueNotice
from tools.notices.contract import (
    DEADLINE_SECONDS,
    NoticeFailure,
    NoticeNotSent,
    NoticeOutcome,
    NoticeRefused,
    NoticeSent,
)

_log = logger(__name__)

_REFUSED_SECONDS: Final = 600.0
"""A refusal is tried again no sooner: somebody may have corrected the secret or the group by then."""


def _load(context: OutboundContext, work: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, DueNotice]:
    """Each step's notice, where it is to be sent still; of a question with the buttons that hold now."""
    wanted = {step.step_id: int(step.variables.get("notice_id", 0)) for step in steps}
    waiting = Notices(work).waiting(wanted.values())
    return {
        step_id: DueNotice(found, _buttons(context, work, found))
        for step_id, notice_id in wanted.items()
        if (found := waiting.get(notice_id)) is not None
    }


def _buttons(context: OutboundContext, work: UnitOfWork, notice: WaitingNotice) -> Sequence[CardButton]:
    """The buttons of a card; none of what goes to a group, where a press could be anybody's."""
    if notice.account is None or notice.interrupt_id is None or notice.is_void:
        return ()
    card = context.card(work, notice.interrupt_id)
    return () if card is None else card.buttons


def _send(context: OutboundContext, batch: Batch) -> Mapping[int, Outcome]:
    """Send what the batch holds; what may not go now comes back when it may."""
    began = time.monotonic()
    outcomes = context.notices.send_all(batch.subjects)
    now = batch.moments.database_now + timedelta(seconds=time.monotonic() - began)
    judgement = _Judgement(context, now)
    return {
        step.step_id: judgement.outcome(batch.subjects.get(step.step_id), outcomes.get(step.step_id))
        for step in batch.steps
    }


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What providers' answers come to at this moment of the database's clock."""

    context: OutboundContext
    now: datetime

    def outcome(self, due: DueNotice | None, answer: NoticeOutcome | None) -> Outcome:
        """What becomes of a step."""
        if due is None:
            return Done()
        notice = due.waiting
        if notice.is_void:
            return Done(effects=(self._tried(notice, "given_up", error=VOID),))
        way = self.context.notices.way(notice.to_role)
        if way is None:
            return Done(effects=(self._tried(notice, "given_up", error=NO_ROUTE),))
        if answer is None:
            until = self.now + timedelta(seconds=self.context.notices.rest_of(way.provider))
            return Snooze(until=until, clock=Clock.DATABASE, reason="the provider is left alone")
        if isinstance(answer, NoticeSent):
            sent = self._tried(notice, "sent", provider=way.provider, provider_id=answer.provider_id or None)
            return Done(effects=(sent,))
        return self._after_failure(notice, way.provider, answer)

    def _after_failure(self, notice: WaitingNotice, provider: str, failure: NoticeFailure) -> Outcome:
        _log.info(
            "notice not sent",
            key=notice.key,
            role=notice.to_role,
            provider=provider,
            tries=notice.tries + 1,
            outcome=type(failure).__name__,
            error=failure.reason,
        )
        until = notice.created_at + DAY
        if self.now >= until:
            # No alert: it would become a notice, perhaps by the very way that does not work.
            _log.error("notice given up after a day", key=notice.key, role=notice.to_role)
            given_up = self._tried(notice, "given_up", provider=provider, error=failure.reason)
            return Done(effects=(given_up,))
        due_at = min(self.now + self._pause(notice.tries + 1, failure), until)
        waits = self._tried(notice, "waiting", provider=provider, error=failure.reason, due_at=due_at)
        return Snooze(until=due_at, clock=Clock.DATABASE, reason=failure.reason, effects=(waits,))

    def _pause(self, tries: int, failure: NoticeFailure) -> timedelta:
        asked = failure.retry_after_seconds if isinstance(failure, NoticeNotSent) else None
        chance = random.random()  # noqa: S311 - spreads retries, keeps no secret
        pause = pause_after(tries, asked, chance, self.context.notices.pauses)
        refused = isinstance(failure, NoticeRefused)
        return max(pause, timedelta(seconds=_REFUSED_SECONDS)) if refused else pause

    def _tried(self, notice: WaitingNotice, state: Any, **further: Any) -> NoticeTried:
        fields = {"due_at": self.now} | further
        return NoticeTried(notice_id=notice.notice_id, tries=notice.tries, state=state, **fields)


def _record(work: UnitOfWork, given: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
    Notices(work).conclude([effect for _, effect in given])
    return NOTHING_REFUSED


ACTION: Final[ActionDeclaration[OutboundContext]] = ActionDeclaration(
    name="outbound.send_notice",
    effect=EffectClass.IDEMPOTENT,
    load=_load,
    work=_send,
    largest_batch=lambda _: MOST_AT_ONCE,
    work_seconds=DEADLINE_SECONDS,
)
WRITER: Final = EffectWriter(kinds=(NoticeTried,), write=_record, evidence=_record)
