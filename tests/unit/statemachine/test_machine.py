"""The transition table: every state with every event, every guard, and what holds on every legal path."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine.orders.guards import Facts, Guard, holds
from statemachine.orders.intents import ROUND_ENDS
from statemachine.orders.machine import (
    ANSWERABLE,
    TERMINAL,
    TRANSITIONS,
    IllegalTransition,
    allowed_from,
    transition,
)
from statemachine.orders.states import OPEN_STATES, Event, State

NOW = datetime(2026, 3, 13, 10, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=1)

# Written by hand from the specification, so that the table is compared with something it was not made of.
SEED = {
    ("pending", "task.start"): "contacting",
    ("contacting", "user.responded"): "responded",
    ("contacting", "user.no_answer"): "no_response",
    ("no_response", "contact.retry"): "contacting",
    ("no_response", "contact.max_reached"): "closed",
    ("responded", "triage.complete"): "classified",
    ("classified", "action.execute"): "action_taken",
    ("action_taken", "intent=暂缓"): "waiting_followup",
    ("action_taken", "intent=继续"): "closed",
    ("action_taken", "intent=终止"): "closed",
    ("waiting_followup", "followup.time_reached"): "contacting",
}
OURS = {
    ("no_response", "user.responded"): "responded",
    ("waiting_followup", "user.responded"): "responded",
    ("responded", "review.recontact"): "contacting",
    ("classified", "review.recontact"): "contacting",
    **{
        (state, event): "closed"
        for state in (
            "pending",
            "contacting",
            "responded",
            "no_response",
            "classified",
            "action_taken",
            "waiting_followup",
        )
        for event in ("task.cancel", "task.timeout", "review.close")
    },
}
EVERYTHING_HOLDS = {
    Guard.NONE: Facts(),
    Guard.ATTEMPTS_LEFT: Facts(contact_count=3),
    Guard.NO_ATTEMPTS_LEFT: Facts(contact_count=4),
    Guard.CONFIDENT: Facts(confidence=0.61),
    Guard.PERMITTED: Facts(permitted=True),
    Guard.FOLLOWUP_TIME_SET: Facts(next_contact_time=SOON),
    Guard.FOLLOWUP_DUE: Facts(next_contact_time=NOW, now=NOW),
    Guard.REVIEW_WITH_REASON: Facts(review_open=True, reason="客户投诉"),
    Guard.REVIEW_AND_ATTEMPTS_LEFT: Facts(review_open=True, contact_count=3),
}
REFUSED = [
    (Guard.ATTEMPTS_LEFT, Facts(contact_count=4)),
    (Guard.ATTEMPTS_LEFT, Facts(contact_count=5)),
    (Guard.ATTEMPTS_LEFT, Facts(contact_count=1, max_contacts=1)),
    (Guard.NO_ATTEMPTS_LEFT, Facts(contact_count=3)),
    (Guard.CONFIDENT, Facts()),
    (Guard.CONFIDENT, Facts(confidence=0.60)),
    (Guard.CONFIDENT, Facts(confidence=float("nan"))),
    (Guard.PERMITTED, Facts(permitted=False)),
    (Guard.FOLLOWUP_TIME_SET, Facts()),
    (Guard.FOLLOWUP_DUE, Facts(next_contact_time=SOON, now=NOW)),
    (Guard.FOLLOWUP_DUE, Facts(next_contact_time=NOW)),
    (Guard.FOLLOWUP_DUE, Facts(now=NOW)),
    (Guard.REVIEW_WITH_REASON, Facts(review_open=True)),
    (Guard.REVIEW_WITH_REASON, Facts(review_open=True, reason="  ")),
    (Guard.REVIEW_WITH_REASON, Facts(reason="客户投诉")),
    (Guard.REVIEW_AND_ATTEMPTS_LEFT, Facts(review_open=True, contact_count=4)),
    (Guard.REVIEW_AND_ATTEMPTS_LEFT, Facts(contact_count=3)),
]


def wire(table: dict[tuple[State, Event], State]) -> dict[tuple[str, str], str]:
    return {(state.value, event.value): target.value for (state, event), target in table.items()}


def test_the_seeds_rows_are_the_seeds() -> None:
    assert wire({key: row.target for key, row in TRANSITIONS.items() if not row.ours}) == SEED


def test_the_rows_of_our_own_are_marked_as_ours() -> None:
    assert wire({key: row.target for key, row in TRANSITIONS.items() if row.ours}) == OURS


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_event_in_every_state_moves_as_specified_or_is_refused(state: State, event: Event) -> None:
    target = (SEED | OURS).get((state.value, event.value))
    guard = TRANSITIONS[state, event].guard if target else Guard.NONE
    if target is None:
        with pytest.raises(IllegalTransition) as refusal:
            transition(state, event, EVERYTHING_HOLDS[guard])
        assert (refusal.value.state, refusal.value.event) == (state, event)
        assert refusal.value.requested is None
    else:
        row = transition(state, event, EVERYTHING_HOLDS[guard])
        assert (row.source, row.event, row.target) == (state, event, State(target))


@pytest.mark.parametrize(("guard", "facts"), REFUSED)
def test_a_transition_is_refused_while_its_guard_does_not_hold(guard: Guard, facts: Facts) -> None:
    guarded = [key for key, row in TRANSITIONS.items() if row.guard is guard]
    assert guarded
    for state, event in guarded:
        with pytest.raises(IllegalTransition) as refusal:
            transition(state, event, facts)
        assert refusal.value.guard is guard
        assert refusal.value.requested is TRANSITIONS[state, event].target
        assert guard.value in str(refusal.value)


def test_every_guard_is_used_and_tried_both_ways() -> None:
    used = {row.guard for row in TRANSITIONS.values()}
    assert used == set(Guard) == EVERYTHING_HOLDS.keys()
    assert {guard for guard, _ in REFUSED} == used - {Guard.NONE}


@pytest.mark.parametrize("facts", [Facts(confidence=0.1, decided_by_person=True), Facts(confidence=0.6001)])
def test_a_person_or_confidence_above_the_limit_makes_a_classification_count(facts: Facts) -> None:
    assert holds(Guard.CONFIDENT, facts)


def test_a_followup_whose_time_has_passed_is_due() -> None:
    assert holds(Guard.FOLLOWUP_DUE, Facts(next_contact_time=NOW, now=SOON))


def test_the_answerable_states_are_those_from_which_the_customer_responds() -> None:
    assert {State.CONTACTING, State.NO_RESPONSE, State.WAITING_FOLLOWUP} == ANSWERABLE


def test_closed_is_the_one_state_nothing_leaves() -> None:
    assert {State.CLOSED} == TERMINAL
    assert frozenset(State) - TERMINAL == OPEN_STATES
    assert allowed_from(State.CLOSED) == ()


def test_closed_can_be_reached_from_every_open_state_by_the_seeds_rows_alone() -> None:
    leads = {(key[0], row.target) for key, row in TRANSITIONS.items() if not row.ours}
    closing = {State.CLOSED}
    for _ in State:
        closing |= {source for source, target in leads if target in closing}
    assert closing == set(State)


@pytest.mark.parametrize("state", State)
def test_what_is_allowed_from_a_state_is_its_rows_in_the_tables_order(state: State) -> None:
    assert list(allowed_from(state)) == [row for key, row in TRANSITIONS.items() if key[0] is state]


def test_an_attempt_follows_no_attempt_exactly_as_attempts_are_left() -> None:
    for count in range(7):
        facts = Facts(contact_count=count)
        assert holds(Guard.ATTEMPTS_LEFT, facts) != holds(Guard.NO_ATTEMPTS_LEFT, facts)


def test_each_intent_that_ends_a_round_does_so_by_a_row_of_its_own() -> None:
    assert {event for (state, event) in TRANSITIONS if state is State.ACTION_TAKEN} >= set(
        ROUND_ENDS.values()
    )


@given(st.integers(1, 4), st.lists(st.sampled_from(Event), max_size=60), st.booleans())
def test_no_legal_path_makes_more_attempts_in_a_round_than_are_allowed(
    max_contacts: int, events: list[Event], review_open: bool
) -> None:
    state, count = State.PENDING, 0
    for event in events:
        facts = Facts(
            contact_count=count,
            max_contacts=max_contacts,
            confidence=0.9,
            next_contact_time=NOW,
            now=NOW,
            review_open=review_open,
            reason="客户要求",
        )
        try:
            row = transition(state, event, facts)
        except IllegalTransition:
            continue
        assert state not in TERMINAL
        state = row.target
        if event is Event.FOLLOWUP_TIME_REACHED:
            count = 0
        count += state is State.CONTACTING
        assert count <= max_contacts
        assert count >= 1 or state in {State.PENDING, State.CLOSED}
