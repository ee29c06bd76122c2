"""A run of the toy product for faults: two branches, one of which waits for the world, and a join."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import yaml

from engine.actions import Action, Batch, Resumption
from engine.begin import Begin
from engine.limits import Limits
from engine.outcomes import Done, Outcome, Park, SignalResult, TryAgain
from runtime.clock import Clock
from runtime.ids import Prefix, new_id
from statemachine.workflow.options.retry import RetryPolicy
from storage.engine.definitions import Definitions
from storage.engine.steps import StepRow
from tests.support.agents import QUEUES
from tests.support.faults.fleet import FaultyFleet
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.ledger_channel import LedgerChannel
from tests.support.probe import Probe
from tests.toy_product.product import PARCELS, QUEUE, TABLE, ParcelMoved

RELAY: Final[dict[str, object]] = yaml.safe_load(
    """
    workflow: relay
    version: "1"
    trigger: parcel.arrived
    steps:
      - {id: fetch, agent: parcels, action: carry, next: [cross, hand_over]}
      - {id: cross, agent: parcels, action: stumble}
      - {id: hand_over, agent: parcels, action: wait}
      - {id: deliver, agent: parcels, action: carry, needs: [cross, hand_over]}
    """
)
NODES: Final = ("fetch", "cross", "hand_over", "deliver")
_WAIT: Final = timedelta(hours=1)


def _moved(step: StepRow) -> tuple[ParcelMoved, ...]:
    return (ParcelMoved(parcel_id=str(step.subject_id), what=step.node),)


def _carry(batch: Batch) -> Mapping[int, Outcome]:
    return {step.step_id: Done(effects=_moved(step)) for step in batch.steps}


def _stumble(batch: Batch) -> Mapping[int, Outcome]:
    """The first try fails."""
    again = TryAgain(code="stumbled", message="once more")
    return {step.step_id: Done(effects=_moved(step)) if step.tries else again for step in batch.steps}


def _wait(batch: Batch) -> Mapping[int, Outcome]:
    until = batch.moments.business_now + _WAIT
    return {s.step_id: Park(until=until, clock=Clock.BUSINESS, reason="waits") for s in batch.steps}


def _go_on(resumption: Resumption) -> Outcome:
    return Done(output=dict(resumption.signal), effects=_moved(resumption.step))


ACTIONS: Final = (
    Action(name=f"{QUEUE}.carry", work=_carry),
    Action(name=f"{QUEUE}.stumble", work=_stumble, retry=RetryPolicy(max_retries=3, delay_ms=60_000)),
    Action(name=f"{QUEUE}.wait", work=_wait, resume=_go_on),
)


@contextmanager
def relay_fleet(database_url: str, limits: Limits) -> Iterator[FaultyFleet]:
    """Processes that know the relay, over this fresh database."""
    build: dict[str, Any] = {
        "products": [PARCELS.bind(None)],
        "actions": ACTIONS,
        "queues": (*QUEUES, QUEUE),
        "limits": limits,
    }
    fleet = FaultyFleet(database_url, LedgerChannel(), build)
    with fleet.sound.database.transaction() as work:
        work.connection.execute(TABLE)
        Definitions(work).register("relay", "1", RELAY)
    yield fleet
    fleet.close()


def arrive(process: InProcessFleet, parcel_id: str, run_id: str | None = None) -> str:
    """Begin a parcel's run; its id."""
    run_id = run_id or new_id(Prefix.RUN)
    with process.engine.transaction() as transaction:
        workflow = transaction.catalogue.current(transaction.work, "relay")
        transaction.begin([Begin(run_id=run_id, workflow=workflow, subject_id=parcel_id)])
    return run_id


def hand_over(process: InProcessFleet, run_id: str) -> list[SignalResult]:
    """Tell the branch that waits for the world that its wait is over."""
    steps = Probe(process.database).values(
        "SELECT step_id FROM steps WHERE run_id = %s AND node = 'hand_over'", run_id
    )
    with process.engine.transaction() as transaction:
        return list(transaction.complete({step_id: {"by": "hand"} for step_id in steps}).values())


def moves(process: InProcessFleet, parcel_id: str) -> list[str]:
    """What happened to a parcel, in the order in which it was recorded."""
    return Probe(process.database).values(
        "SELECT what FROM parcels WHERE parcel_id = %s ORDER BY position", parcel_id
    )
