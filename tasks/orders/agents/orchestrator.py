"""The orchestrator: receives and validates orders, retries contacts, opens rounds, applies people's decisions."""

from collections.abc import Sequence
from typing import Final

from engine.actions import ActionDeclaration, EffectClass, Entering, Resumption
from engine.outcomes import Done, Failed, Outcome, Park
from engine.registry import Ending
from runtime.clock import Clock
from schemas.core.effects import Effect
from schemas.orders.effects import Audit, Move
from schemas.orders.step_inputs import StartGiven, TaskInput
from schemas.outbound.effects import ProductEvent
from schemas.outbound.product_events import ProductEventType
from schemas.people.why import Why, WhyCode
from statemachine.orders.states import Event
from statemachine.workflow.states import RunState
from storage.engine.steps import StepRow
from storage.orders.order import Order
from tasks.orders.agents.each_order import each_order, load_orders
from tasks.orders.agents.review import ask_person, decide
from tasks.orders.rules.context import Context
from tasks.orders.rules.reasons import failed
from tasks.orders.rules.traces import audit, product_event

AGENT: Final = "orchestrator"
VALIDATE: Final = "orchestrator.validate_task"
"""The action whose step waits, parked, while an order is held."""


def receive_task(entering: Entering) -> Outcome:
    """Take the order in (seed step1)."""
    return Done(
        output=entering.input,
        effects=(
            Audit(
                task_id=str(entering.subject_id),
                event_type="task_received",
                agent_id=AGENT,
                action="receive_task",
                metadata={"step": entering.node, "source": TaskInput.of(entering.input).source},
            ),
            ProductEvent(
                execution_id=entering.run_id,
                task_id=entering.subject_id,
                event_type=ProductEventType.TASK_RECEIVED.value,
                stage=ProductEventType.TASK_RECEIVED.stage.value,
                title=ProductEventType.TASK_RECEIVED.value,
                status="running",
            ),
        ),
    )


def validate_task(entering: Entering) -> Outcome:
    """Check that the customer can be contacted at all, and begin (seed step2, SPEC.md §1)."""
    facts = TaskInput.of(entering.input)
    if not facts.callable:
        return _invalid(entering, Why(WhyCode.NOT_CALLABLE))
    if facts.contact_count >= facts.max_contacts:
        used = {"made": facts.contact_count, "most": facts.max_contacts}
        return _invalid(entering, Why(WhyCode.NO_ATTEMPTS_LEFT, used))
    task_id = str(entering.subject_id)
    validated = Audit(
        task_id=task_id,
        event_type="task_validated",
        agent_id=AGENT,
        action="validate_task",
        metadata={"step": entering.node},
    )
    if facts.hold:
        return Park(
            until=None, clock=Clock.BUSINESS, reason="it is held until it is started", effects=(validated,)
        )
    return Done(effects=(Move(task_id=task_id, event=Event.START, agent_id=AGENT), validated))


def start_held(_: Context, resumption: Resumption) -> Outcome:
    """Begin an order that was held: it was found valid when it came in."""
    started_by = StartGiven.of(resumption.signal).by
    task_id = str(resumption.step.subject_id)
    return Done(
        effects=(
            Move(task_id=task_id, event=Event.START, agent_id=started_by),
            audit(resumption.step, "task_started", started_by, "start"),
        ),
    )


def _invalid(entering: Entering, why: Why) -> Failed:
    return failed(
        why,
        effects=(
            Audit(
                task_id=str(entering.subject_id),
                event_type="validation_failed",
                agent_id=AGENT,
                action="validate_task",
                metadata={"step": entering.node, "code": why.code.value},
            ),
        ),
    )


def retry_contact(step: StepRow, order: Order) -> Outcome:
    """Begin the next attempt, or end the order when none is left (seed step4)."""
    attempts_left = order.contact_count < order.max_contacts
    if attempts_left:
        return Done(
            output={"attempts_left": True},
            effects=(
                Move(task_id=order.task_id, event=Event.CONTACT_RETRY, agent_id=AGENT),
                audit(step, "contact_retry", AGENT, "retry_contact", attempt=order.contact_count + 1),
            ),
        )
    return Done(
        output={"attempts_left": False},
        effects=(
            Move(
                task_id=order.task_id,
                event=Event.CONTACT_MAX_REACHED,
                agent_id=AGENT,
                changes={"finish_reason": "contact_failed"},
            ),
            audit(step, "task_completed", AGENT, "retry_contact", finish_reason="contact_failed"),
            product_event(
                step, ProductEventType.TASK_CLOSED, "ready", "contact_failed", contacts=order.contact_count
            ),
        ),
    )


def open_round(step: StepRow, order: Order) -> Outcome:
    """Begin the next round, as its time has come (seed transition followup.time_reached)."""
    return Done(
        effects=(
            Move(task_id=order.task_id, event=Event.FOLLOWUP_TIME_REACHED, agent_id=AGENT),
            audit(step, "followup_reached", AGENT, "open_round", round=order.round + 1),
            product_event(step, ProductEventType.FOLLOWUP_REACHED, "running", round=order.round + 1),
        ),
    )


def end_effects(end: Ending) -> Sequence[Effect]:
    """What is recorded when a run is cancelled or its time is up; a run without an order leaves nothing here."""
    task_id = end.run.subject_id
    if task_id is None:
        return ()
    timed_out = end.state is RunState.FAILED
    finish_reason = "timed_out" if timed_out else "cancelled"
    return (
        Move(
            task_id=task_id,
            event=Event.TIMEOUT if timed_out else Event.CANCEL,
            agent_id=end.agent_id,
            reason=end.reason,
            changes={"finish_reason": finish_reason},
            metadata={"reason": end.reason},
        ),
        Audit(
            task_id=task_id,
            event_type="task_completed",
            agent_id=end.agent_id,
            action=finish_reason,
            metadata={"finish_reason": finish_reason, "reason": end.reason},
        ),
        ProductEvent(
            execution_id=end.run.run_id,
            task_id=task_id,
            event_type=ProductEventType.TASK_CLOSED.value,
            stage=ProductEventType.TASK_CLOSED.stage.value,
            title=f"{ProductEventType.TASK_CLOSED}.{finish_reason}",
            status="failed" if timed_out else "ready",
        ),
    )


ACTIONS: Final[tuple[ActionDeclaration[Context], ...]] = (
    ActionDeclaration(name="orchestrator.receive_task", inline=receive_task),
    ActionDeclaration(name=VALIDATE, inline=validate_task, resume=start_held),
    ActionDeclaration(
        name="orchestrator.retry_contact",
        effect=EffectClass.RECORD,
        load=load_orders,
        work=each_order(retry_contact),
    ),
    ActionDeclaration(
        name="orchestrator.open_round",
        effect=EffectClass.RECORD,
        load=load_orders,
        work=each_order(open_round),
    ),
    ActionDeclaration(
        name="orchestrator.decide_review", load=load_orders, resume=decide, entering=ask_person
    ),
)
"""The orchestrator's actions."""
