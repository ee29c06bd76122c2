"""Values, targets and handlers of written steps, as the reference interpreter takes them."""

from collections.abc import Mapping
from typing import Any

from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate
from tests.support.workflow.reference_state import INCIDENT, Fault, Given, Open, Scope
from tests.support.workflow.written_graph import Written, listed


def declared(written: Any) -> Mapping[str, Any]:
    typed = isinstance(written, dict) and written.keys() <= {"type", "default", "merge"} and written
    return written if typed else {"default": written}


def is_outside(one: Open) -> bool:
    return not one.loops and one.step.get("type", "action") in ("action", "human")


def index(index: int | None) -> dict[str, Any]:
    return {} if index is None else {"index": index}


def holds(condition: str, names: Given) -> bool:
    try:
        return Expression.parse(condition).holds(names)
    except ExpressionFault as fault:
        raise Fault("expression") from fault


def filled(written: Any, names: Given) -> Any:
    try:
        return ValueTemplate.of(written).fill(names)
    except ExpressionFault as fault:
        raise Fault("expression") from fault


def merged(merge: str | None, present: Any, value: Any) -> Any:
    match merge:
        case "append":
            return [*(present or []), value]
        case "union":
            added = value if isinstance(value, list) else [value]
            return [*(present or []), *(each for each in added if each not in (present or []))]
        case "sum" | "max" | "min" if present is not None:
            if merge == "sum":
                return present + value
            return max(present, value) if merge == "max" else min(present, value)
        case _:
            return value


def following(step: Written, names: Given) -> list[str]:
    """After a step that is no gateway: all targets, and those whose condition holds."""
    return taken(step, names, several=True)


def taken(step: Written, names: Given, *, several: bool) -> list[str]:
    """The targets without a condition, and every one, or the first, whose condition holds; else those of `else`."""
    plain: list[str] = []
    held: list[str] = []
    otherwise = listed(step.get("else"))
    for each in listed(step.get("next")):
        if not isinstance(each, dict):
            plain.append(each)
        elif "if" not in each:
            otherwise = [*listed(each["to"]), *otherwise]
        elif (several or not held) and holds(each["if"], names):
            held += [target for target in listed(each["to"]) if target not in held]
    if several:
        return [*plain, *(held or otherwise)]
    return held or plain or otherwise


def handlers(step: Written, code: str) -> list[str]:
    for catch in step.get("on", ()):
        if "error" in catch and (code in listed(catch["error"]) or "*" in listed(catch["error"])):
            return listed(catch["next"])
    return listed(step.get("on_error"))


def handled_around(scope: Scope, code: str) -> bool:
    """Whether a step around handles such a failure, or keeps it in its list, or the workflow does."""
    while scope.owner is not None:
        each = scope.owner.step.get("for_each", {}) if scope.owner.loops else {}
        if handlers(scope.owner.step, code) or each.get("on_item_error") == "collect":
            return True
        scope = scope.owner.scope
    return scope.graph.handler is not None


def flows_at(scope: Scope, join: str) -> set[str]:
    return {flow for at, flow, _ in scope.tokens if at == join}


def place(one: Open) -> str:
    """Where it stands: the question about a failure, where the step does that has failed."""
    return str(one.given["origin"] if one.node == INCIDENT else one.node)


def is_partial(scope: Scope, join: str) -> bool:
    """Whether fewer branches than all are waited for, or it is a step that needs others."""
    step = scope.graph.steps[join]
    return bool(step.get("needs")) or step.get("join") != "all"


def leads_to(scope: Scope, one: str, other: str) -> bool:
    """Whether a branch that goes on at one join can come to another by a flow that has not come there."""
    missing = set(scope.graph.flows[other]) - flows_at(scope, other)
    return bool(scope.graph.reached([one], other) & missing)


def is_stuck(scope: Scope) -> bool:
    """Whether branches wait in it for others, and not only for some."""
    return any(not is_partial(scope, join) for join, _, _ in scope.tokens)
