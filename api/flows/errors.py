"""What the API answers to exceptions that only definitions, and steps of outside agents, raise."""

from types import MappingProxyType
from typing import Final

from api.server.errors import Faults
from api.server.refusal import Refusal, invalid
from engine.definitions.states import IllegalMove, UnknownVersion, UnservedTrigger
from engine.flow.intervening import InterventionRefused, UnknownRunStep, UnusableIntervention
from engine.outside import ForeignLease, LeaseLost, UnknownStep
from schemas.core.error import Code
from statemachine.workflow.definition import MalformedWorkflow
from storage.engine.definitions import ChangedDefinition
from tasks.flows.migration import UnusableChange


def _of_move(error: IllegalMove) -> Refusal:
    return Refusal(
        Code.STATE_CONFLICT,
        str(error),
        details={"state": error.state.value, "allowed": [event.value for event in error.allowed]},
    )


def _of_malformed(error: MalformedWorkflow) -> Refusal:
    """A draft that was taken once, and cannot run here now."""
    return Refusal(Code.STATE_CONFLICT, str(error), details={"problems": list(error.problems)})


def _of_change(error: UnusableChange) -> Refusal:
    return Refusal(Code.STATE_CONFLICT, str(error), details={"problems": list(error.problems)})


def _conflict(error: ValueError) -> Refusal:
    return Refusal(Code.STATE_CONFLICT, str(error))


def _of_lost_lease(error: LeaseLost) -> Refusal:
    return Refusal(
        Code.STATE_CONFLICT,
        str(error),
        details={"step_id": error.step_id, "state": error.state.value, "cancelled": error.cancelled},
    )


def _of_unusable(error: UnusableIntervention) -> Refusal:
    return invalid([(problem.field, problem.message) for problem in error.problems])


def _forbidden(error: ForeignLease) -> Refusal:
    return Refusal(Code.FORBIDDEN, str(error))


def _absent(error: LookupError) -> Refusal:
    return Refusal(Code.NOT_FOUND, str(error))


FAULTS: Final[Faults] = MappingProxyType(
    {
        ChangedDefinition: _conflict,
        ForeignLease: _forbidden,
        IllegalMove: _of_move,
        InterventionRefused: _conflict,
        LeaseLost: _of_lost_lease,
        MalformedWorkflow: _of_malformed,
        UnknownRunStep: _absent,
        UnknownStep: _absent,
        UnknownVersion: _absent,
        UnservedTrigger: _conflict,
        UnusableIntervention: _of_unusable,
        UnusableChange: _of_change,
    }
)
"""Every exception that only these routes may end in, and its answer."""
