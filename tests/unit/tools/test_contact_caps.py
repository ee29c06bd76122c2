"""Caps of a number: the moment they name is the first that they allow, and obeying it never breaks one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tools.contact_policy.caps import free_again
from tools.contact_policy.policy import STANDARD, NumberCap

NOON = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
CAPS = st.lists(
    st.builds(NumberCap, st.integers(1, 6), st.integers(1, 7200).map(lambda s: timedelta(seconds=s))),
    max_size=3,
)
CONTACTS = st.lists(st.integers(-7200, 60).map(lambda s: NOON + timedelta(seconds=s)), max_size=25)


def allowed(at: datetime, contacts: list[datetime], caps: list[NumberCap]) -> bool:
    """Whether one more contact keeps every cap: counted, not computed."""
    return all(sum(contact > at - cap.period for contact in contacts) < cap.limit for cap in caps)


@given(CONTACTS, CAPS)
def test_it_is_the_first_moment_that_counting_allows(contacts: list[datetime], caps: list[NumberCap]) -> None:
    free = free_again(contacts, caps)
    if free is None:
        assert allowed(min(contacts, default=NOON), contacts, caps)
    else:
        assert allowed(free, contacts, caps)
        assert not allowed(free - INSTANT, contacts, caps)


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=60))
def test_whoever_waits_for_it_never_breaks_a_cap(wishes: list[int]) -> None:
    made: list[datetime] = []
    at = NOON
    for seconds in wishes:
        at += timedelta(seconds=seconds)
        free = free_again(made, STANDARD.number_caps)
        made.append(max(at, free or at))
        at = made[-1]
    for cap in STANDARD.number_caps:
        for begin in made:
            assert sum(begin <= moment < begin + cap.period for moment in made) <= cap.limit


def test_without_caps_or_contacts_nothing_stands_in_the_way() -> None:
    assert free_again([NOON] * 50, ()) is None
    assert free_again([], STANDARD.number_caps) is None
