"""Hands messages and signals to the steps and runs that wait for them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.flow.events.catching import CaughtEvent
from engine.transaction import Transaction
from statemachine.workflow.options.triggers import TriggerKind
from storage.engine.flow.subscriptions import Subscriptions
from storage.engine.triggers.inbox import InboxEntry
from storage.engine.triggers.kept_messages import KeptMessages

if TYPE_CHECKING:
    from engine.engine import Engine

_CHUNK: Final = 1_000
_ROUNDS: Final = 5
"""How often another receiver of a message is looked for, when the one that was found has gone."""


def deliver(transaction: Transaction, entries: Sequence[InboxEntry]) -> Mapping[int, int]:
    """Hand each message to the one who has waited longest, each signal to all who wait now; how many each reached."""
    reached: dict[int, int] = {}
    messages = [entry for entry in entries if entry.kind is TriggerKind.MESSAGE]
    for _ in range(_ROUNDS):
        asked = [(entry.name, entry.key) for entry in messages]
        found = Subscriptions(transaction.work).receivers(asked) if asked else {}
        if not found:
            break
        heard = transaction.catch([CaughtEvent(each, _event(messages[at])) for at, each in found.items()])
        reached |= {messages[at].entry_id: 1 for at, each in found.items() if each.subscription_id in heard}
        messages = [entry for entry in messages if entry.entry_id not in reached]
    for entry in entries:
        if entry.kind is TriggerKind.SIGNAL:
            reached[entry.entry_id] = _broadcast(transaction, entry)
    return reached


def meet(engine: "Engine", awaited: Iterable[tuple[str, str]]) -> int:
    """Hand kept messages to those who wait for them by now; how many there were.

    Whoever begins to wait looks once that is committed, and whoever sends once the message is: so they meet,
    whichever of the two was first.
    """
    with engine.database.looks() as work:
        kept = KeptMessages(work).kept_of(sorted(set(awaited)))
    met = 0
    for name, key in kept:
        with engine.transaction() as transaction:
            messages = KeptMessages(transaction.work)
            messages.hold([(name, key)])
            for waiting in Subscriptions(transaction.work).waiting("message", name, key, 0, 1):
                message = messages.match_kept(name, key, waiting.step_id or 0)
                if message is not None:
                    event = {"kind": "message", "name": name, "key": key, "payload": message.payload}
                    met += len(transaction.catch([CaughtEvent(waiting, event)]))
    return met


def _broadcast(transaction: Transaction, entry: InboxEntry) -> int:
    heard, last = 0, 0
    while True:
        waiting = Subscriptions(transaction.work).waiting("signal", entry.name, None, last, _CHUNK)
        if waiting:
            heard += len(transaction.catch([CaughtEvent(each, _event(entry)) for each in waiting]))
            last = waiting[-1].subscription_id
        if len(waiting) < _CHUNK:
            return heard


def _event(entry: InboxEntry) -> Mapping[str, Any]:
    return {"kind": entry.kind.value, "name": entry.name, "key": entry.key, "payload": entry.payload}
