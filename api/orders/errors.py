"""The refusals of orders: the 409 of an order that is elsewhere, and what the exceptions of their work answer."""

from types import MappingProxyType
from typing import Final

from api.server.errors import Faults
from api.server.refusal import Refusal, invalid
from schemas.core.error import Code
from statemachine.orders.machine import IllegalTransition
from statemachine.orders.states import State
from tasks.orders.rules.transitions import transitions_from
from tools.channels.signature import ReportError, SignatureError


def conflict(current: State, requested: State | None, message: str | None = None, **more: object) -> Refusal:
    """The order's state does not allow what was asked, in the seed's words (seed 000 section 九)."""
    wanted = f"Cannot transition from '{current}' to '{requested}'" if requested else "Cannot transition"
    return Refusal(
        Code.STATE_CONFLICT, message or wanted, details=transitions_from(current, requested) | more
    )


def _of_report(error: ReportError) -> Refusal:
    return invalid([(error.field, str(error))])


def _of_signature(_: SignatureError) -> Refusal:
    return Refusal(Code.UNAUTHORIZED, "the callback is not signed as it must be")


def _of_transition(error: IllegalTransition) -> Refusal:
    return conflict(error.state, error.requested, str(error))


FAULTS: Final[Faults] = MappingProxyType(
    {
        ReportError: _of_report,
        SignatureError: _of_signature,
        IllegalTransition: _of_transition,
    },
)
"""Every exception that only routes of orders may end in, and what the caller is answered."""
