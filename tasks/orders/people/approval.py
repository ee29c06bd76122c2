"""A person's agreement to an action that its caller (seed 000 section 四, requires_approval) or the policy marks."""

from dataclasses import dataclass
from typing import Final

from engine.engine import Engine
from schemas.orders.effects import Audit
from schemas.orders.step_inputs import ActionInput
from schemas.people.why import Why, WhyCode
from statemachine.orders.purposes import Purpose
from storage.core.database import Database
from storage.engine.runs import Runs
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.orders.timeline import Timeline
from storage.people.reviews import Review, Reviews
from tasks.orders.agents.action_request import ACTION, APPROVAL_REQUIRED, agreed_by, carried_out_today
from tasks.orders.people.deciding import APPROVAL_REQUESTED
from tasks.orders.rules.reasons import question_input
from tools.policies.approval import ApprovalPolicy

REASON: Final = APPROVAL_REQUIRED


@dataclass(frozen=True, slots=True)
class Approved:
    """A person has decided it; it may be carried out."""


def must_be_approved(database: Database, policy: ApprovalPolicy, task_id: str, action_type: str) -> bool:
    """Whether the configuration wants a person to agree to this action (config/policies/approval.yaml)."""
    if policy.never_asks:
        return False
    with database.transaction() as work:
        today = carried_out_today(work, policy, [action_type])
    return policy.why(action_type, task_id, today[action_type]) is not None


def ask_for_approval(
    engine: Engine, task_id: str, action_type: str, agent_id: str
) -> Review | Approved | None:
    """The review that must agree to what the order waits to have carried out, asked for if it is not open yet.

    Returns:
        `Approved` when a person has decided it already; `None` when the order waits for no action.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        order = Orders(work).find([task_id]).get(task_id)
        if order is None:
            return None
        Runs(work).lock([order.run_id])
        review = Reviews(work).open_of(task_id)
        if review is not None and review.reason == REASON:
            return review
        waiting = next((s for s in OrderView(work).waiting_steps(order.run_id) if s.action == ACTION), None)
        if waiting is None:
            return None
        if ActionInput.of(waiting.input).decided_by or agreed_by(work, task_id, waiting.input):
            return Approved()
        why = Why(WhyCode.APPROVAL_REQUESTED, {"by": agent_id, "action": action_type})
        given = {**waiting.input, "review_reason": REASON, **question_input(why)}
        if not transaction.divert_to(order.run_id, Purpose.REVIEW, given):
            return None
        asked = Reviews(work).open_of(task_id)
        line = Audit(
            task_id=task_id,
            event_type=APPROVAL_REQUESTED,
            agent_id=agent_id,
            action=action_type,
            metadata={"step": waiting.node, "review_id": asked and asked.review_id},
        )
        Timeline(work).audit([line])
    with engine.database.transaction() as work:
        return Reviews(work).open_of(task_id)
