"""Questions of general runs with rules of people, for tests: whose they are, how many must agree, what is asked for."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text

from engine.registry import Question
from runtime.ids import Prefix, new_id
from statemachine.workflow.options.human import HumanRules
from storage.engine.clock import BusinessClock
from storage.people.interrupts import InterruptFilter, Interrupts
from storage.people.reviews import Review
from tests.support.engine.general_runs import definition
from tests.support.in_process_fleet import InProcessFleet

_DECISIONS: Final = {"yes": "end", "no": "end"}
ONE_QUESTION: Final = definition(
    "parallel_branches",
    workflow="one_question",
    steps=[{"id": "ask", "type": "human", "decisions": _DECISIONS, "deadline_seconds": 3600}],
)
CAUGHT: Final = definition(
    "parallel_branches",
    workflow="caught",
    steps=[
        {"id": "ask", "type": "human", "decisions": _DECISIONS, "deadline_seconds": 3600, "on_error": "late"},
        {"id": "late", "agent": "audit", "action": "check"},
    ],
)
TWO_QUESTIONS: Final = definition(
    "parallel_branches",
    workflow="two_questions",
    steps=[
        {"id": "split", "agent": "orchestrator", "action": "check", "next": ["first", "second"]},
        {"id": "first", "type": "human", "decisions": _DECISIONS},
        {"id": "second", "type": "human", "decisions": _DECISIONS},
    ],
)


def questions_of(house: InProcessFleet, run_id: str, state: str | None = "open") -> dict[str, Review]:
    """The questions of a run, by step."""
    with house.database.transaction() as work:
        found = Interrupts(work).list(InterruptFilter(state=state, run_id=run_id))
    return {each.review.node: each.review for each in found}


def asked_with(house: InProcessFleet, run_id: str, rules: HumanRules, node: str = "ask") -> Review:
    """The open question of a step, asked anew with these rules."""
    before = questions_of(house, run_id)[node]
    with house.database.transaction() as work:
        work.connection.execute(text("DELETE FROM reviews WHERE review_id = :id"), {"id": before.review_id})
        house.engine.registry.ask(
            work,
            [
                Question(
                    interrupt_id=new_id(Prefix.REVIEW),
                    step_id=before.step_id,
                    run_id=run_id,
                    subject_id=before.task_id,
                    node=node,
                    reason=before.reason,
                    text=before.question,
                    context=before.context,
                    decisions=tuple(before.decisions),
                    deadline_at=before.deadline_at,
                    rules=rules,
                )
            ],
        )
    return questions_of(house, run_id)[node]


def let_pass(house: InProcessFleet, seconds: float) -> None:
    """Let the business clock go on by this much."""
    with house.database.transaction() as work:
        clock = BusinessClock(work)
        clock.set(clock.now().business_now + timedelta(seconds=seconds))


def alerts_of(house: InProcessFleet, run_id: str) -> list[tuple[str, str]]:
    """The alerts about a run's questions: type and role, in their order."""
    with house.database.transaction() as work:
        rows: Any = work.connection.execute(
            text(
                "SELECT alert_type, escalated_to FROM alerts WHERE metadata ->> 'execution_id' = :run "
                "ORDER BY raised_at, alert_id"
            ),
            {"run": run_id},
        )
        return [tuple(row) for row in rows]


def history_of(house: InProcessFleet, review_id: str) -> list[tuple[str, str]]:
    """The installation's lines about a question: what, by whom, in their order."""
    with house.database.transaction() as work:
        rows: Any = work.connection.execute(
            text("SELECT what, actor FROM system_audit WHERE detail ->> 'review_id' = :id ORDER BY entry_id"),
            {"id": review_id},
        )
        return [tuple(row) for row in rows]
