"""The question that a human step asks a person."""

from collections.abc import Mapping

from engine.registry import Question
from statemachine.workflow.definition import ORIGIN, Step
from storage.engine.flow.new_steps import NewStep


def question(step_id: int, interrupt_id: str, row: NewStep, step: Step) -> Question:
    """The question of a human step: why it is asked, in words, and the answers it accepts."""
    error = row.input.get("error")
    because: Mapping[str, object] = error if isinstance(error, Mapping) else {}
    return Question(
        interrupt_id=interrupt_id,
        step_id=step_id,
        run_id=row.run_id,
        subject_id=row.subject_id,
        node=row.node,
        reason=str(because.get("code") or row.input.get("review_reason") or row.node),
        text=str(because.get("message") or row.input.get("review_message") or step.title or row.node),
        context=dict(row.input),
        decisions=tuple(
            name for name, target in step.decisions.items() if target != ORIGIN or "origin" in row.input
        ),
        deadline_at=row.due_at,
        rules=step.human,
    )
