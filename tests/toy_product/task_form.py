"""Parcels as a task form: everything that the toy product registers with the routes of tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from engine.begin import Begin
from engine.engine import Engine
from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from schemas.core.problems import Problem, as_records
from schemas.people.interrupts import answer_schema
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.subjects import SubjectTable
from storage.people.answers import Respondent
from storage.people.rejects import NewReject
from storage.people.reviews import Review
from tasks.forms import Acceptance, EntryPoint, NewTask, Sender, TaskReceipt
from tasks.people.answering import answer_within
from tasks.people.answers import Decided, given_answer, refusal
from tasks.people.question_form import ReadyAnswer
from tasks.people.rejects import keep
from tasks.verbs import Verb, VerbResult

TABLE: Final = text(
    "CREATE TABLE arrivals (parcel_id text PRIMARY KEY, shipment_id text, run_id text, grams integer, state text)"
)
_FIND: Final = text("SELECT run_id, grams, state FROM arrivals WHERE parcel_id = :parcel_id")
_INSERT: Final = text("INSERT INTO arrivals VALUES (:parcel_id, :shipment_id, :run_id, :grams, 'arrived')")
_RETURN: Final = text("UPDATE arrivals SET state = 'returned' WHERE parcel_id = :parcel_id")


ARRIVALS: Final = SubjectTable(
    product="parcels",
    table="arrivals",
    subject_id="parcel_id",
    run_id="run_id",
    order_id="shipment_id",
    state="state",
)


class ParcelState(StrEnum):
    """Where a parcel is."""

    ARRIVED = "arrived"
    RETURNED = "returned"


class ParcelSent(BaseModel):
    """A parcel as its sender announces it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parcel_id: str
    shipment_id: str
    grams: int


@dataclass(frozen=True, slots=True)
class ParcelForm:
    """The tasks that are parcels; they are cancelled by being returned."""

    product: str = "parcels"
    body: type[BaseModel] = ParcelSent
    entry_points: frozenset[EntryPoint] = frozenset()
    subjects: SubjectTable = ARRIVALS
    states: type[StrEnum] = ParcelState

    def recognises(self, sent: Mapping[str, Any]) -> bool:
        return "parcel_id" in sent

    def owns(self, _: Engine, task_type: str, /) -> bool:
        return task_type == "parcel"

    def read(self, body: ParcelSent, _: Sender, /) -> ParcelSent:
        return body

    def read_general(self, task: NewTask) -> ParcelSent | tuple[Problem, ...]:
        return ParcelSent.model_validate(task.parameters)

    def accept(
        self, engine: Engine, submissions: Sequence[ParcelSent], entry_point: EntryPoint, /
    ) -> list[TaskReceipt]:
        with engine.transaction() as transaction:
            receipts = self.accept_within(transaction, submissions, entry_point)
            refused = [
                NewReject(
                    source=entry_point,
                    task_id=parcel.parcel_id,
                    payload=parcel.model_dump_json(),
                    problems=as_records(receipt.problems),
                )
                for parcel, receipt in zip(submissions, receipts, strict=True)
                if receipt.problems
            ]
            if refused:
                keep(transaction.work, refused)
        return receipts

    def accept_within(
        self, transaction: Transaction, submissions: Sequence[ParcelSent], _: EntryPoint, /
    ) -> list[TaskReceipt]:
        return [_accepted(transaction, parcel) for parcel in submissions]

    def given(self, work: UnitOfWork, task_id: str) -> Mapping[str, Any]:
        return {"grams": work.connection.execute(_FIND, {"parcel_id": task_id}).one().grams}

    def has(self, work: UnitOfWork, task_id: str, /) -> bool:
        return work.connection.execute(_FIND, {"parcel_id": task_id}).one_or_none() is not None

    def answer_schema(self, review: Review, /) -> Mapping[str, Any]:
        return answer_schema(review.decisions, review.form)

    def answer_within(
        self, transaction: Transaction, review: Review, payload: Mapping[str, Any], by: Respondent, /
    ) -> tuple[Decided, Review | None]:
        return answer_within(transaction, review, given_answer(payload, by))

    def refusal_of(
        self, work: UnitOfWork, review: Review, payload: Mapping[str, Any], by: Respondent, /
    ) -> Decided | None:
        return refusal(work, review, given_answer(payload, by).by)

    def ready_answers(self, _: UnitOfWork, review: Review, /) -> list[ReadyAnswer]:
        return [ReadyAnswer(each, {"decision": each}) for each in review.decisions]

    def seen(self, *_: object) -> int:
        return 0

    def steer(self, engine: Engine, task_id: str, verb: Verb, *, by: str, reason: str | None) -> VerbResult:
        with engine.transaction() as transaction:
            work = transaction.work
            parcel = work.connection.execute(_FIND, {"parcel_id": task_id}).one_or_none()
            if parcel is None:
                return VerbResult.UNKNOWN
            if verb is not Verb.CANCEL:
                return VerbResult.ENDED
            work.connection.execute(_RETURN, {"parcel_id": task_id})
            transaction.end([parcel.run_id], RunState.CANCELLED, agent_id=by, reason=reason or "returned")
            return VerbResult.DONE

    def transitions(self, state: str, _: Verb, /) -> Mapping[str, Any]:
        return {"current_state": state, "requested_state": None, "allowed_transitions": []}


def _accepted(transaction: Transaction, parcel: ParcelSent) -> TaskReceipt:
    known = transaction.work.connection.execute(_FIND, {"parcel_id": parcel.parcel_id}).one_or_none()
    if known is not None:
        same = known.grams == parcel.grams
        return TaskReceipt(
            result=Acceptance.EXISTING if same else Acceptance.OTHER_BODY,
            task_id=parcel.parcel_id,
            run_id=known.run_id,
            state=known.state,
            problems=() if same else (Problem(field="grams", message="is not what was weighed"),),
        )
    run_id = new_id(Prefix.RUN)
    transaction.work.connection.execute(_INSERT, {**parcel.model_dump(), "run_id": run_id})
    (workflow,) = transaction.catalogue.triggered_by(transaction.work, "parcel.arrived")
    transaction.begin(
        [
            Begin(
                run_id=run_id,
                workflow=workflow,
                subject_id=parcel.parcel_id,
                variables={"grams": parcel.grams},
            )
        ]
    )
    return TaskReceipt(
        result=Acceptance.ACCEPTED, task_id=parcel.parcel_id, run_id=run_id, state=ParcelState.ARRIVED
    )
