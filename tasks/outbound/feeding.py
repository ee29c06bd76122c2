"""Makes deliveries of events, and begins the runs that carry what waits to be sent."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from engine.begin import Begin
from engine.catalogue import workflow_of
from engine.engine import Engine
from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from statemachine.workflow.states import OPEN_RUNS
from storage.core.unit_of_work import UnitOfWork
from storage.engine.runs import Runs
from storage.outbound.deliveries import Deliveries, NewDelivery
from storage.outbound.notices import Notices
from storage.outbound.outbox import Outbox
from storage.outbound.subscribers import Subscribers
from tasks.outbound import notice, webhook
from tasks.outbound.context import OutboundContext
from tasks.outbound.messages import events_for, message_of
from tasks.outbound.triggering import TriggerFollower

_RELEASE_SECONDS: Final = 60.0
"""How often what ended runs have left waiting is looked for."""


@dataclass(slots=True)
class Feeder:
    """Feeds subscribers and begins runs, a bounded number at a time. Any number may work at once."""

    engine: Engine
    context: OutboundContext
    _declared: bool = False
    _released_at: float = field(default=float("-inf"))
    _triggers: TriggerFollower = field(init=False)

    def __post_init__(self) -> None:
        self._triggers = TriggerFollower(self.engine)

    def round(self) -> bool:
        """Make the next deliveries of every subscriber that is behind, and begin their runs; whether there were any.

        Raises:
            StorageUnavailable: PostgreSQL went away.
        """
        database = self.engine.database
        self._declare()
        self._release()
        with database.looks() as work:
            behind = Subscribers(work).behind()
        fed = False
        for subscriber_id in behind:
            with database.transaction() as work:
                fed |= feed(work, subscriber_id)
        with database.looks() as work:
            waiting = Outbox(work).any_unassigned() or Notices(work).any_unassigned()
        fed |= self._triggers.round()
        if waiting:
            with self.engine.transaction() as transaction:
                waiting = carry(transaction)
        return fed or waiting

    def _declare(self) -> None:
        """Say once for which roles notices are made from now on."""
        if not self._declared:
            with self.engine.database.transaction() as work:
                routes = self.context.notices.routes
                Notices(work).declare(routes.ways, routes.messengers)
            self._declared = True

    def _release(self) -> None:
        """Let what ended runs have left waiting, as after too many crashes, be carried anew."""
        now = time.monotonic()
        if now - self._released_at >= _RELEASE_SECONDS:
            with self.engine.database.transaction() as work:
                Outbox(work).release()
                Notices(work).release()
            self._released_at = now


def feed(work: UnitOfWork, subscriber_id: str) -> bool:
    """Make the deliveries of the subscriber's next events, at most `storage.outbound.subscribers.BATCH` of them.

    The deliveries and the subscriber's position commit together, so each event makes its delivery once.

    Returns:
        Whether there were events.
    """
    position = Subscribers(work).lock_position(subscriber_id)
    end = None if position is None else Subscribers(work).end_of_batch(position)
    if position is None or end is None:
        return False
    subscribed_events = Subscribers(work).subscribed_events(position, end, events_for(position.events))
    messages = [message for happening in subscribed_events if (message := message_of(happening)) is not None]
    Deliveries(work).make(
        [
            NewDelivery(
                subscriber_id=subscriber_id,
                event_id=message.event_id,
                task_id=message.task_id,
                event_type=message.type.value,
                payload=message.payload,
                due_at=position.now,
            )
            for message in messages
        ]
    )
    Subscribers(work).advance(position, end)
    return True


def carry(transaction: Transaction) -> bool:
    """Begin runs for what waits and is carried by none: deliveries and notices, a bounded number of each.

    Returns:
        Whether there were any; `False` also where another feeder is at it.
    """
    if not Outbox(transaction.work).lead():
        return False
    deliveries = _carry_deliveries(transaction)
    return _carry_notices(transaction) or deliveries


def _carry_deliveries(transaction: Transaction) -> bool:
    """Give deliveries to the open run of their mailbox, or to a new one.

    A run that is being recorded is waited for: it has ended by then, or it sees what it is given here.
    """
    outbox = Outbox(transaction.work)
    unassigned = outbox.unassigned()
    if not unassigned:
        return False
    candidates = sorted({found.run_id for found in unassigned if found.run_id is not None})
    still_open = {run.run_id for run in Runs(transaction.work).lock(candidates) if run.state in OPEN_RUNS}
    run_of = {found.mailbox: found.run_id for found in unassigned if found.run_id in still_open}
    begun = {
        found.mailbox: _run(webhook.ACTION.name, found.mailbox.subscriber_id, asdict(found.mailbox))
        for found in unassigned
        if found.mailbox not in run_of
    }
    transaction.begin(list(begun.values()))
    carried = {mailbox: str(run_id) for mailbox, run_id in run_of.items()}
    outbox.assign(carried | {mailbox: run.run_id for mailbox, run in begun.items()})
    return True


def _carry_notices(transaction: Transaction) -> bool:
    """Begin a run for each notice."""
    unassigned = Notices(transaction.work).unassigned()
    if not unassigned:
        return False
    begun = {
        notice_id: _run(notice.ACTION.name, key, {"notice_id": notice_id})
        for notice_id, key in unassigned.items()
    }
    transaction.begin(list(begun.values()))
    Notices(transaction.work).assign({notice_id: run.run_id for notice_id, run in begun.items()})
    return True


def _run(action: str, subject_id: str, variables: Mapping[str, object]) -> Begin:
    """A run about a subscriber or a notice, and so no task of its own (see storage/flows/task_list.py)."""
    return Begin(
        run_id=new_id(Prefix.RUN), workflow=workflow_of(action), subject_id=subject_id, variables=variables
    )
