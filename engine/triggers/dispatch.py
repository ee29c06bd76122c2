"""Dispatches the inbox: begins the runs that an entry triggers, and hands it to who waits for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engine.begin import Begin
from engine.registry import RefusedStart
from engine.rescue.isolation import Fault, in_halves
from engine.transaction import Transaction
from engine.triggers.delivery import deliver
from engine.triggers.starting import begin_once, fitting, keep_refused, start_by
from schemas.core.problems import Problem
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import InboxState
from storage.engine.triggers.inbox import DispatchResult, Inbox, InboxEntry
from storage.engine.triggers.kept_messages import KeptMessages

if TYPE_CHECKING:
    from engine.engine import Engine

_CHUNK: Final = 500
"""Entries of one transaction."""

_AWAITED: Final = frozenset({TriggerKind.MESSAGE, TriggerKind.SIGNAL})
"""The kinds that steps wait for."""

Deliver = Callable[[Transaction, Sequence[InboxEntry]], Mapping[int, int]]
"""Hands messages and signals to who waits; how many each reached, by the id of its entry."""


@dataclass(frozen=True, slots=True)
class InboxDispatcher:
    """Dispatches entries, in their order, a bounded number in one transaction. Any number may work at once."""

    engine: "Engine"
    deliver: Deliver = deliver

    def round(self) -> int:
        """Dispatch what waits and nobody else has taken, as the tick does; how many entries there were.

        Raises:
            StorageUnavailable: PostgreSQL went away; what is left waits.
        """
        with self.engine.database.looks() as work:
            entry_ids = Inbox(work).to_dispatch(_CHUNK)
        self._dispatch(entry_ids, wait=False)
        return len(entry_ids)

    def at_once(self, entry_ids: Sequence[int]) -> Mapping[int, InboxEntry]:
        """Dispatch these entries, or wait while another does; as they stand then.

        Raises:
            StorageUnavailable: PostgreSQL went away; the tick dispatches what is left.
        """
        for start in range(0, len(entry_ids), _CHUNK):
            self._dispatch(entry_ids[start : start + _CHUNK], wait=True)
        with self.engine.database.looks() as work:
            return Inbox(work).find(entry_ids)

    def _dispatch(self, entry_ids: Sequence[int], *, wait: bool) -> None:
        def together(some: Sequence[int]) -> list[None]:
            with self.engine.transaction() as transaction:
                self._within(transaction, some, wait=wait)
            return []

        def alone(entry_id: int, fault: Fault) -> None:
            with self.engine.transaction() as transaction:
                _refuse(transaction, entry_id, fault)

        if entry_ids:
            in_halves(entry_ids, together, alone)

    def _within(self, transaction: Transaction, entry_ids: Sequence[int], *, wait: bool) -> None:
        inbox = Inbox(transaction.work)
        found = inbox.lock(entry_ids, wait=wait)
        waiting = [entry for entry in found if entry.state is InboxState.WAITING]
        if not waiting:
            return
        # Read anew: a workflow that was retired a moment ago is begun by nothing any more.
        transaction.catalogue.forget()
        starts = {entry.entry_id: _starts_of(transaction, entry) for entry in waiting}
        begun = [each for several in starts.values() for each in several if isinstance(each, Begin)]
        refused = [each for several in starts.values() for each in several if isinstance(each, RefusedStart)]
        begin_once(transaction, begun)
        keep_refused(transaction, refused)
        awaited = [entry for entry in waiting if entry.kind in _AWAITED]
        KeptMessages(transaction.work).hold(
            [(entry.name, entry.key) for entry in awaited if entry.kind is TriggerKind.MESSAGE]
        )
        reached = self.deliver(transaction, awaited) if awaited else {}
        inbox.end(
            {
                entry.entry_id: _ended(entry, starts[entry.entry_id], reached.get(entry.entry_id, 0))
                for entry in waiting
            }
        )


def _starts_of(transaction: Transaction, entry: InboxEntry) -> list[Begin | RefusedStart]:
    """What an entry begins; the events of products begin their own subjects and nothing else."""
    if entry.kind is TriggerKind.EVENT and entry.name in transaction.registry.needs:
        return []
    active = transaction.catalogue.active(transaction.work)
    starts = (
        start_by(each, entry, transaction.work.cipher) for each in fitting(active, entry.kind, entry.name)
    )
    return [each for each in starts if each is not None]


def _ended(
    entry: InboxEntry, starts: Sequence[Begin | RefusedStart], receivers: int
) -> tuple[InboxState, DispatchResult]:
    kept = entry.kind is TriggerKind.MESSAGE and not starts and not receivers
    result = DispatchResult(
        runs=tuple(each.run_id for each in starts if isinstance(each, Begin)),
        receivers=receivers,
        refused=sum(isinstance(each, RefusedStart) for each in starts),
    )
    return (InboxState.KEPT if kept else InboxState.TAKEN), result


def _refuse(transaction: Transaction, entry_id: int, fault: Fault) -> None:
    """Keep an entry that cannot be dispatched, with the fault."""
    inbox = Inbox(transaction.work)
    for entry in inbox.lock([entry_id], wait=True):
        if entry.state is InboxState.WAITING:
            document = {
                "kind": entry.kind.value,
                "name": entry.name,
                "key": entry.key,
                "id": entry.source_id,
                "payload": entry.payload,
            }
            problem = Problem(field="event", message=f"cannot be dispatched: {fault}")
            keep_refused(
                transaction, [RefusedStart(document=document, problems=(problem,), sent_by=entry.sent_by)]
            )
            inbox.end({entry_id: (InboxState.REFUSED, DispatchResult(refused=1))})
