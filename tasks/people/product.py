"""What people's side registers with the engine: who keeps questions, and who raises alerts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.effects import NOTHING_REFUSED, EffectRefusal, EffectWriter
from engine.registry import Ending, Product, Question
from schemas.core.effects import Effect
from schemas.people.effects import AlertRaised
from storage.core.unit_of_work import UnitOfWork
from storage.people.alerts import Alerts
from storage.people.reviews import NewReview, Reviews
from tasks.people.escalation import escalated_to
from tasks.people.refused_starts import keep_refused


class ReviewQuestions:
    """Keeps the questions of human steps as reviews."""

    def open(self, work: UnitOfWork, questions: Sequence[Question]) -> None:
        """Open a review for each question."""
        Reviews(work).open(
            [
                NewReview(
                    review_id=question.interrupt_id,
                    step_id=question.step_id,
                    run_id=question.run_id,
                    task_id=question.subject_id,
                    node=question.node,
                    reason=question.reason,
                    question=question.text,
                    context=question.context,
                    decisions=question.decisions,
                    deadline_at=question.deadline_at,
                    rules=question.rules,
                )
                for question in questions
            ]
        )

    def cancel(self, work: UnitOfWork, step_ids: Sequence[int]) -> None:
        """Close the reviews of these steps undecided."""
        Reviews(work).cancel(step_ids)

    def reprioritise(self, work: UnitOfWork, run_id: str, *, before: int, now: int) -> None:
        """Give the open reviews of a run their place in the worklist by its new priority."""
        Reviews(work).reprioritise(run_id, before=before, now=now)

    def rename(self, work: UnitOfWork, run_id: str, names: Mapping[str, Sequence[str]]) -> None:
        """Let the open reviews of a run name its steps as they are called from now on; they keep who holds them."""
        Reviews(work).rename(run_id, names)


def _raise_alerts(work: UnitOfWork, effects: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
    Alerts(work).raise_all([effect for _, effect in effects])
    return NOTHING_REFUSED


def _abandoned(ending: Ending) -> Sequence[Effect]:
    """Nothing moves the subject of such a run any more, so a person is told."""
    run = ending.run
    return (
        AlertRaised(
            alert_type="run_abandoned",
            severity="critical",
            message="流程无法继续, 已按失败结束, 请人工处理",
            task_id=run.subject_id,
            escalated_to=escalated_to("run_abandoned", "critical"),
            metadata={
                "execution_id": run.run_id,
                "workflow": run.workflow,
                "version": run.version,
                "reason": ending.reason,
            },
        ),
    )


PEOPLE: Final[Product[None]] = Product(
    name="people",
    writers=(EffectWriter(kinds=(AlertRaised,), write=_raise_alerts),),
    abandoned=_abandoned,
    questions=ReviewQuestions(),
    keep_refused=keep_refused,
)
"""Reviews, alerts and refused input, for every product."""
