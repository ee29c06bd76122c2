"""The effects of an intent that was carried out: actions under their keys, the transition, audit lines."""

from collections.abc import Mapping
from typing import Final

from engine.outcomes import Done
from schemas.core.effects import Effect
from schemas.orders.effects import ActionTaken, Move
from schemas.outbound.effects import ProductEvent
from statemachine.orders.intents import Level1
from statemachine.orders.states import Event
from storage.engine.steps import StepRow
from tasks.orders.agents.action_request import ActionRequest
from tasks.orders.rules.traces import audit

AGENT: Final = "action_agent"


def executed(
    step: StepRow,
    request: ActionRequest,
    level1: Level1,
    result: Mapping[str, object],
    event: ProductEvent,
    effects: tuple[Effect, ...],
) -> Done:
    """Return the outcome of an executed intent, with its effects.

    Args:
        step: The step that is done.
        request: Its order.
        level1: The intent that was carried out.
        result: What the step's output says of it.
        event: What people who watch are told.
        effects: The actions, each `ActionTaken` with what it does in the order system.
    """
    order, decided_by = request.order, request.given.decided_by or request.approved_by
    taken = [effect for effect in effects if isinstance(effect, ActionTaken)]
    move = Move(
        task_id=order.task_id,
        event=Event.ACTION_EXECUTE,
        agent_id=AGENT,
        metadata={"actions": [action.action_type for action in taken]},
    )
    lines = tuple(
        audit(
            step,
            "action_executed",
            AGENT,
            action.action_type,
            action_id=action.action_id,
            intent=level1.value,
            decided_by=decided_by,
            automatic=not decided_by,
        )
        for action in taken
    )
    return Done(
        output={
            **result,
            "intent_level1": level1.value,
            "actions": [action.action_id for action in taken],
            "round_ends_in": "closed",
        },
        effects=(move, *effects, *lines, event),
    )
