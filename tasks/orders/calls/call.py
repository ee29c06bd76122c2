"""A call of an outside agent for one step of an order, and how calls for an action are matched with its steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.transaction import Transaction
from schemas.core.form import Succeeded
from statemachine.workflow.options.call_limits import NO_LIMITS, CallLimits
from storage.core.unit_of_work import UnitOfWork
from storage.orders.order import Order
from storage.orders.order_view import StepResult, WaitingStep
from tasks.orders.rules.context import Context

Wanted = TypeVar("Wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Wanted]):
    """One step of an order, as an agent calls for it."""

    task_id: str
    action: str
    """The engine's action whose step is meant; a key of the table of matchers."""
    action_type: str
    """What the caller named: a tool (seed 000 section 五) or an event."""
    agent_id: str
    wanted: Wanted
    """What the caller says of how it is to be done."""
    limits: CallLimits = NO_LIMITS
    """How long its tool may take, and how often it may be called again; for a step that this call takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[Wanted]):
    """A call before its order, whose run is locked."""

    transaction: Transaction
    context: Context
    call: Call[Wanted]
    order: Order

    @property
    def work(self) -> UnitOfWork:
        """The transaction's unit of work."""
        return self.transaction.work

    @property
    def wanted(self) -> Wanted:
        """What the caller says of how it is to be done."""
        return self.call.wanted


def _gives_nothing(_: object) -> Mapping[str, object]:
    return {}


def _never_refuses(_: object, __: WaitingStep) -> None:
    return None


def _recognises_every(_: object, __: StepResult) -> bool:
    return True


def _never_leads(_: object, __: WaitingStep) -> None:
    return None


def _never_reopens(_: object, __: Sequence[WaitingStep]) -> bool:
    return False


def _notes_nothing(_: object, __: WaitingStep) -> None:
    return None


def _answers_nothing(_: UnitOfWork, __: Call[Wanted], ___: StepResult) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher(Generic[Wanted]):
    """How calls for one action are matched with the steps of an order, and answered."""

    gives: Callable[[Wanted], Mapping[str, object]] = _gives_nothing
    """What the step gets from its caller, as `call` in its input."""
    refuses: Callable[[Asked[Wanted], WaitingStep], str | None] = _never_refuses
    """Why a step that is open cannot be what the caller wants; `None` when it can."""
    recognises: Callable[[Asked[Wanted], StepResult], bool] = _recognises_every
    """Whether a step that is done is what the caller asks for."""
    leads: Callable[[Asked[Wanted], WaitingStep], Call[Wanted] | None] = _never_leads
    """What is called for once an open step is done that leads to the one that is meant; `None` where it does not."""
    reopens: Callable[[Asked[Wanted], Sequence[WaitingStep]], bool] = _never_reopens
    """Lets the order wait for the step that is meant, where what the caller says is a reason to; whether it did."""
    notes: Callable[[Asked[Wanted], WaitingStep], None] = _notes_nothing
    """Writes what the caller said, in the transaction that takes the step."""
    answers: Callable[[UnitOfWork, Call[Wanted], StepResult], Succeeded | None] = _answers_nothing
    """The answer in what a step recorded; `None` when that is not what was called for."""
