"""Compares our contacts with the provider's own count of what reached whom."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from fleet.simulator.ledger import KeyCount
from storage.orders.consistency.violations import ContactKey, Violation

TWICE: Final = "a customer is contacted once for an attempt"
UNKNOWN: Final = "every contact has its intent"
NEVER: Final = "what we call placed reached the provider"


def violations_of_contacts(ours: Sequence[ContactKey], theirs: Sequence[KeyCount]) -> Iterator[Violation]:
    """Where our attempts and the provider's ledger disagree."""
    by_key: Mapping[str, ContactKey] = {contact.key: contact for contact in ours}
    reached = {count.key: count.reached for count in theirs}
    for key, times in reached.items():
        contact = by_key.get(key)
        if times > 1:
            yield Violation(
                TWICE, contact.task_id if contact else key, f"{key} reached a customer {times} times"
            )
        if contact is None and times:
            yield Violation(UNKNOWN, key, "the provider has it and we have not")
    for contact in ours:
        if contact.placed and not reached.get(contact.key):
            yield Violation(NEVER, contact.task_id, f"{contact.key} is not known to the provider")
