"""Everything that the toy product registers: parcels are weighed, then labelled."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import text

from engine.actions import ActionDeclaration, Batch, EffectClass
from engine.effects import NOTHING_REFUSED, EffectRefusal, EffectWriter
from engine.outcomes import Done, Outcome
from engine.registry import Ending, Product
from schemas.core.effects import Effect
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow

QUEUE: Final = "parcels"
DEFINITION: Final[dict[str, object]] = yaml.safe_load(
    """
    workflow: parcel
    version: "1"
    trigger: parcel.arrived
    steps:
      - {id: weigh, agent: parcels, action: weigh, next: label}
      - {id: label, agent: parcels, action: label}
    """
)
TABLE: Final = text(
    "CREATE TABLE parcels (position bigint GENERATED ALWAYS AS IDENTITY, parcel_id text, what text, grams integer)"
)
_INSERT: Final = text("INSERT INTO parcels (parcel_id, what, grams) VALUES (:parcel_id, :what, :grams)")
_WEIGHED: Final = text(
    "SELECT parcel_id, grams FROM parcels WHERE what = 'weighed' AND parcel_id = ANY(:ids)"
)

HEAVIEST: Final = 1000
"""Grams above which a parcel is not accepted."""

WAIT_FOR: Final = "TOY_WAIT_FOR"
"""Names a file that the work waits for once it has begun, so that a test can end the worker in the middle."""
STARTED: Final = "TOY_STARTED"
"""Names a file that the work leaves when it has begun."""


class TooHeavyError(Exception):
    """Nobody can lift this parcel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelMoved(Effect):
    """Something happened to a parcel."""

    parcel_id: str
    what: str
    grams: int = 0


def _write(work: UnitOfWork, given: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
    refused = {
        step_id: EffectRefusal(error=TooHeavyError(f"{moved.grams} g"), code="too_heavy")
        for step_id, moved in given
        if moved.grams > HEAVIEST
    }
    for step_id, moved in given:
        if step_id not in refused:
            values = {"parcel_id": moved.parcel_id, "what": moved.what, "grams": moved.grams}
            work.connection.execute(_INSERT, values)
    return refused or NOTHING_REFUSED


def _weigh(_: None, batch: Batch) -> Mapping[int, Outcome]:
    _wait_to_be_ended()
    return {
        step.step_id: Done(
            effects=[
                ParcelMoved(parcel_id=str(step.subject_id), what="weighed", grams=int(step.input["grams"]))
            ]
        )
        for step in batch.steps
    }


def _load_weights(_: None, work: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, int]:
    rows = work.connection.execute(_WEIGHED, {"ids": [step.subject_id for step in steps]})
    weights = {row.parcel_id: row.grams for row in rows}
    return {step.step_id: weights[step.subject_id] for step in steps}


def _label(_: None, batch: Batch) -> Mapping[int, Outcome]:
    return {
        step.step_id: Done(
            output={"label": f"{batch.subjects[step.step_id]} g"},
            effects=[ParcelMoved(parcel_id=str(step.subject_id), what="labelled")],
        )
        for step in batch.steps
    }


def _end_effects(ending: Ending) -> Sequence[Effect]:
    return [ParcelMoved(parcel_id=str(ending.run.subject_id), what=f"{ending.state.value}: {ending.reason}")]


def _wait_to_be_ended() -> None:
    started, wait_for = os.environ.get(STARTED), os.environ.get(WAIT_FOR)
    if started and wait_for:
        Path(started).touch()
        while not Path(wait_for).exists():
            time.sleep(0.05)


PARCELS: Final[Product[None]] = Product(
    name="parcels",
    triggers=frozenset({"parcel.arrived"}),
    actions=(
        ActionDeclaration(name="parcels.weigh", effect=EffectClass.RECORD, work=_weigh),
        ActionDeclaration(name="parcels.label", effect=EffectClass.RECORD, load=_load_weights, work=_label),
    ),
    writers=(EffectWriter(kinds=(ParcelMoved,), write=_write, errors=(TooHeavyError,)),),
    end_effects=_end_effects,
)
