"""Which event becomes which message, and when a failed one is tried again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.outbound.event_types import MessageType
from storage.outbound.subscribers import SubscribedEvent
from tasks.outbound.messages import PAUSES, SOURCES, body_of, events_for, message_of, pause_after, ping

AT = datetime(2026, 3, 13, 21, 5, tzinfo=UTC)
HAPPENING = SubscribedEvent(
    event_id=1,
    event_type="task_closed",
    task_id="HT1",
    execution_id="exec_1",
    title="task_closed.visit_arranged",
    parameters={},
    status="ready",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    at=AT,
    order_id="SO1",
    finish_reason="visit_arranged",
    next_contact_time=AT,
    state="closed",
)


@pytest.mark.parametrize(
    ("event_type", "state", "kind"),
    [
        ("task_closed", "closed", MessageType.CLOSED),
        ("review_opened", "classified", MessageType.REVIEW_OPENED),
        ("review_decided", "classified", MessageType.REVIEW_DECIDED),
        ("task_rejected", None, MessageType.REJECTED),
        ("action_executed", "waiting_followup", MessageType.WAITING),
        ("action_executed", "closed", None),
        ("contact_initiated", "contacting", None),
    ],
)
def test_an_event_becomes_its_message_or_none(
    event_type: str, state: str | None, kind: MessageType | None
) -> None:
    message = message_of(replace(HAPPENING, event_type=event_type, state=state))
    assert (None if message is None else message.type) == kind


def test_every_message_has_an_event_it_is_made_of() -> None:
    assert set(SOURCES.values()) == set(MessageType)
    assert events_for([MessageType.WAITING]) == ["action_executed"]


def test_the_reason_of_an_end_is_told_with_the_end_alone() -> None:
    closed = message_of(HAPPENING)
    before = message_of(replace(HAPPENING, event_type="review_opened", state="classified"))
    assert closed is not None
    assert before is not None
    assert closed.payload["data"]["finish_reason"] == "visit_arranged"
    assert closed.payload["data"]["next_contact_time"] is None
    assert before.payload["data"]["finish_reason"] is None
    assert before.payload["data"]["next_contact_time"] == "2026-03-13T21:05:00.000Z"


def test_the_body_does_not_depend_on_the_order_in_which_json_was_kept() -> None:
    payload = ping(AT)
    assert body_of(dict(reversed(list(payload.items())))) == body_of(payload)
    assert body_of(payload) == b'{"type":"ping","timestamp":"2026-03-13T21:05:00.000Z","data":{}}'


@given(st.integers(1, 1000), st.floats(0, 1), st.none() | st.floats(0, 86_400))
def test_a_pause_is_a_fifth_around_its_plan_and_never_shorter_than_asked_for(
    tries: int, chance: float, asked: float | None
) -> None:
    planned = PAUSES[min(tries, len(PAUSES)) - 1]
    pause = pause_after(tries, asked, chance)
    assert pause >= timedelta(seconds=asked or 0)
    assert pause >= planned * 0.8
    assert pause <= max(planned * 1.2, timedelta(seconds=asked or 0))
