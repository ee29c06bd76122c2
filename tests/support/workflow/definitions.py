"""Definitions in a line or two: steps by kind, and a workflow of them."""

from collections.abc import Mapping
from typing import Any

from statemachine.workflow.definition import Kind, Step, Workflow, build
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.options.run_variable import RunVariable


def action(step_id: str, *following: str, **more: Any) -> Step:
    """Work for an agent, and what follows it."""
    return Step(**{"id": step_id, "agent": "audit", "action": "check", "next": following} | more)


def gateway(step_id: str, condition: str, held: str, otherwise: str, **more: Any) -> Step:
    """A condition and where it leads, held or not."""
    return Step(
        id=step_id,
        kind=Kind.GATEWAY,
        condition=Expression.parse(condition),
        next=tuple(held.split()),
        otherwise=tuple(otherwise.split()),
        **more,
    )


def human(step_id: str, **decisions: str) -> Step:
    """A question and where each answer leads."""
    return Step(id=step_id, kind=Kind.HUMAN, decisions=decisions)


def workflow(
    *steps: Step, on_error: str | None = None, variables: Mapping[str, object] | None = None
) -> Workflow:
    """A checked workflow of these steps."""
    return build(
        name="tried",
        version="1.0",
        trigger="",
        steps=steps,
        declared=[RunVariable(name=name, default=value) for name, value in (variables or {}).items()],
        on_error=on_error,
    )
