"""Our attempts against the provider's own ledger: what differs is found."""

import pytest

from bench.chaos.checks.contacts import NEVER, TWICE, UNKNOWN, violations_of_contacts
from fleet.simulator.ledger import KeyCount
from storage.orders.consistency.violations import ContactKey


def rules(ours: list[ContactKey], theirs: list[KeyCount]) -> list[tuple[str, str]]:
    return [(each.rule, each.subject) for each in violations_of_contacts(ours, theirs)]


PLACED = ContactKey("HT1.1.1", "HT1", placed=True)


def test_a_contact_that_reached_its_customer_once_is_as_it_should_be() -> None:
    assert rules([PLACED], [KeyCount("HT1.1.1", 3, 1, 2)]) == []


def test_an_attempt_that_has_not_left_yet_need_not_be_known_to_the_provider() -> None:
    assert rules([ContactKey("HT1.1.1", "HT1", placed=False)], []) == []
    assert rules([ContactKey("HT1.1.1", "HT1", placed=False)], [KeyCount("HT1.1.1", 2, 0, 0)]) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ([PLACED], [KeyCount("HT1.1.1", 2, 2, 2)], (TWICE, "HT1")),
        ([], [KeyCount("HT1.1.1", 1, 1, 1)], (UNKNOWN, "HT1.1.1")),
        ([PLACED], [], (NEVER, "HT1")),
    ],
    ids=["reached twice", "unknown to us", "never reached"],
)
def test_what_differs_is_found(
    ours: list[ContactKey], theirs: list[KeyCount], found: tuple[str, str]
) -> None:
    assert rules(ours, theirs) == [found]
