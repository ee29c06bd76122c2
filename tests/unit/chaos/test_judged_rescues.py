"""A rescue is false unless something took its holder from the lease between the last renewal and the rescue."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.chaos.checks.rescues import JudgedRescue, RescueCause, judge
from bench.chaos.faults.journal import FaultRecord
from bench.chaos.faults.plan import FaultKind
from bench.chaos.lives import Lives
from storage.orders.consistency.rescues import ObservedRescue

AT = time.time()
LEASE = 12.0
PID = 41


def rescue(holder: str | None = f"contact@host:{PID}") -> ObservedRescue:
    """A rescue at `AT` of a lease that had run out a second before."""
    return ObservedRescue(
        step_id=1,
        subject_id="HT1",
        queue="contact",
        holder=holder,
        expires_at=datetime.fromtimestamp(AT - 1, UTC),
        rescued_at=datetime.fromtimestamp(AT, UTC),
    )


def fault(kind: FaultKind, *, began: float, ended: float, **changes: Any) -> FaultRecord:
    """A fault so many seconds before the rescue."""
    record = FaultRecord(kind=kind, target="x", pids=(PID,), began=AT - began, ended=AT - ended, number=1)
    return replace(record, **changes)


def judged(*faults: FaultRecord, alive: bool = True, waited: float = 0.0) -> JudgedRescue:
    """Of a holder that waited so many seconds for a processor within its lease."""
    lives = Lives()
    lives.note(PID, AT - 20, waited=7.0)
    lives.note(PID, AT + 5 if alive else AT - 13, waited=7.0 + waited)
    return judge(rescue(), faults, lives, LEASE)


def test_a_rescue_from_a_holder_that_is_at_work_is_false() -> None:
    assert judged().cause is RescueCause.NONE


def test_a_rescue_from_a_holder_that_was_killed_is_due_to_it_and_counted_from_it() -> None:
    found = judged(fault(FaultKind.POOL_KILLED, began=13, ended=13), alive=False)
    assert found.cause is RescueCause.HOLDER_ENDED
    assert found.delay == pytest.approx(13)


def test_a_rescue_from_a_holder_that_ended_by_itself_is_no_false_one() -> None:
    assert judged(alive=False).cause is RescueCause.HOLDER_ENDED


def test_a_rescue_from_a_holder_that_was_frozen_is_due_to_it() -> None:
    assert judged(fault(FaultKind.PROCESS_FROZEN, began=12, ended=-3)).cause is RescueCause.HOLDER_FROZEN


def test_a_freeze_that_was_over_before_the_last_renewal_excuses_nothing() -> None:
    assert judged(fault(FaultKind.PROCESS_FROZEN, began=40, ended=30)).cause is RescueCause.NONE


def test_a_freeze_of_somebody_else_excuses_nothing() -> None:
    other = fault(FaultKind.PROCESS_FROZEN, began=12, ended=1, pids=(PID + 1,))
    assert judged(other).cause is RescueCause.NONE


def test_a_rescue_after_postgresql_was_away_is_due_to_it() -> None:
    away = fault(FaultKind.DATABASE_KILLED, began=9, ended=7, pids=(3,))
    assert judged(away).cause is RescueCause.DATABASE_AWAY


def test_a_broker_that_was_away_excuses_nothing() -> None:
    assert judged(fault(FaultKind.BROKER_KILLED, began=9, ended=7, pids=(3,))).cause is RescueCause.NONE


def test_a_rescue_from_a_holder_that_got_no_processor_is_not_held_against_the_fleet() -> None:
    assert judged(waited=9.0).cause is RescueCause.HOLDER_STARVED
    assert judged(waited=1.0).cause is RescueCause.NONE


def test_a_rescue_of_a_step_whose_lease_is_gone_is_false() -> None:
    lives = Lives()
    assert judge(rescue(holder=None), (), lives, LEASE).cause is RescueCause.NONE
