"""A request to carry out an order's intent, with what decides whether it may be: capacity, approval, daily limit."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.orders.step_inputs import ActionInput
from schemas.people.why import Why
from statemachine.orders.intents import Level1
from statemachine.workflow.options.call_limits import without_limits
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.engine.steps import StepRow
from storage.orders.actions import Actions
from storage.orders.capacity import Capacity
from storage.orders.order import Order
from storage.orders.orders import Orders
from tasks.orders.rules.appointment import Openings, last_day_of, region_of
from tasks.orders.rules.context import Context
from tools.contact_policy.zone import DEFAULT_ZONE
from tools.policies.approval import ApprovalPolicy

ACTION: Final = "action.execute_action"
"""The action that carries an intent out."""

APPROVAL_REQUIRED: Final = "approval_required"
"""Why a person is asked before an action is carried out."""

ACTIONS_OF: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        Level1.RESUME.value: ("update_appointment", "notify_engineer"),
        Level1.POSTPONE.value: ("schedule_followup",),
        Level1.TERMINATE.value: ("cancel_order",),
    }
)
"""The tools that an intent has carried out, together (SPEC.md §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """An order whose intent is to be carried out."""

    order: Order
    given: ActionInput
    openings: Openings = field(default_factory=Openings)
    approved_by: str | None = None
    """Who let exactly this go on, after it had asked for approval."""
    before: Mapping[str, int] = field(default_factory=dict)
    """Actions of a type that the day saw before this one, where there is a limit."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The tools that the intent has carried out."""
        return actions_of(self.given)

    def needs_approval(self, policy: ApprovalPolicy) -> Why | None:
        """Why a person must agree first; `None` when nobody must, or somebody has decided it."""
        if self.given.decided_by or self.approved_by:
            return None
        asked = (policy.why(name, self.order.task_id, self.before.get(name, 0)) for name in self.actions)
        return next((why for why in asked if why), None)


def actions_of(given: ActionInput) -> tuple[str, ...]:
    """The tools that this intent has carried out."""
    return ACTIONS_OF.get(str(given.intent_level1), ())


def load_requests(
    context: Context, work: UnitOfWork, steps: Sequence[StepRow]
) -> Mapping[int, ActionRequest]:
    """The action requests of a message: a statement a question, and none for what is not configured."""
    policy = context.approvals
    orders = Orders(work).find([step.subject_id for step in steps if step.subject_id])
    known = [step for step in steps if step.subject_id in orders]
    of_step = {step.step_id: orders[str(step.subject_id)] for step in known}
    given = {step.step_id: ActionInput.of(step.input) for step in known}
    openings = Openings() if context.order_system.remote else _openings(work, given, of_step)
    approved = {} if policy.never_asks else _approved(work, known)
    before = _counted(work, given, policy)
    return {
        step.step_id: ActionRequest(
            order=of_step[step.step_id],
            given=given[step.step_id],
            openings=openings,
            approved_by=approved.get(step.step_id),
            before=before.get(step.step_id, {}),
        )
        for step in known
    }


def carried_out_today(work: UnitOfWork, policy: ApprovalPolicy, action_types: Iterable[str]) -> Counter[str]:
    """How often those of these types that have a limit were carried out on this day."""
    limited = [name for name in action_types if name in policy.per_day]
    if not limited:
        return Counter()
    return Counter(Actions(work).carried_out(limited, _midnight(BusinessClock(work).now().business_now)))


def agreed_by(work: UnitOfWork, task_id: str, given: Mapping[str, Any]) -> str | None:
    """Who agreed to this order's action with exactly this input, after it had asked for approval."""
    approvals = Actions(work).agreed([task_id], APPROVAL_REQUIRED)
    return next(
        (one.decided_by for one in approvals if without_limits(one.given) == without_limits(given)), None
    )


def _openings(work: UnitOfWork, given: Mapping[int, ActionInput], orders: Mapping[int, Order]) -> Openings:
    resuming = {step_id: one for step_id, one in given.items() if one.intent_level1 == Level1.RESUME}
    if not resuming:
        return Openings()
    regions = sorted({region_of(orders[step_id]) for step_id in resuming})
    last = max((day for one in resuming.values() if (day := last_day_of(one))), default=None)
    return Openings(Capacity(work).coming(regions, last))


def _approved(work: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, str]:
    """Who agreed to which step: to the same order with the same input, so a new decision needs a new approval."""
    given = Actions(work).agreed([str(step.subject_id) for step in steps], APPROVAL_REQUIRED)
    return {
        step.step_id: approval.decided_by
        for approval in given
        for step in steps
        if approval.task_id == step.subject_id
        and without_limits(approval.given) == without_limits(step.input)
    }


def _counted(
    work: UnitOfWork, given: Mapping[int, ActionInput], policy: ApprovalPolicy
) -> Mapping[int, Mapping[str, int]]:
    """What each step has before it today: what was carried out, and those of the same message that come first."""
    if not policy.per_day:
        return {}
    seen: Counter[str] = carried_out_today(
        work, policy, sorted({name for one in given.values() for name in actions_of(one)})
    )
    before: dict[int, Mapping[str, int]] = {}
    for step_id, one in given.items():
        before[step_id] = dict(seen)
        seen.update(actions_of(one))
    return before


def _midnight(now: datetime) -> datetime:
    zone = ZoneInfo(DEFAULT_ZONE)
    return datetime.combine(now.astimezone(zone).date(), time(0), tzinfo=zone)


def request_of(subject: Any) -> ActionRequest:
    """A batch's subject as what it is."""
    assert isinstance(subject, ActionRequest)
    return subject
