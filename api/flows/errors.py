"""What the API answers to exceptions that only definitions raise."""

from types import MappingProxyType
from typing import Final

from api.server.errors import Faults
from api.server.refusal import Refusal
from engine.definitions.states import IllegalMove, UnknownVersion, UnservedTrigger
from schemas.core.error import Code
from statemachine.workflow.definition import MalformedWorkflow
from storage.engine.definitions import ChangedDefinition


def _of_move(error: IllegalMove) -> Refusal:
    return Refusal(
        Code.STATE_CONFLICT,
        str(error),
        details={"state": error.state.value, "allowed": [event.value for event in error.allowed]},
    )


def _of_malformed(error: MalformedWorkflow) -> Refusal:
    """A draft that was taken once, and cannot run here now."""
    return Refusal(Code.STATE_CONFLICT, str(error), details={"problems": list(error.problems)})


def _conflict(error: ValueError) -> Refusal:
    return Refusal(Code.STATE_CONFLICT, str(error))


def _absent(error: UnknownVersion) -> Refusal:
    return Refusal(Code.NOT_FOUND, str(error))


FAULTS: Final[Faults] = MappingProxyType(
    {
        ChangedDefinition: _conflict,
        IllegalMove: _of_move,
        MalformedWorkflow: _of_malformed,
        UnknownVersion: _absent,
        UnservedTrigger: _conflict,
    }
)
"""Every exception that only these routes may end in, and its answer."""
