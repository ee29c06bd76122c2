"""`unpend why`: what a task waits for, since when, until when, and what happens next."""

from typing import Annotated

import typer

from fleet.command.failure import CommandError
from fleet.command.location import DataDir, opened
from fleet.command.output import AsJson, show_json, show_line

TaskId = Annotated[str, typer.Argument(metavar="ID", help="A task_id, or the execution_id of any run.")]


def why(task_id: TaskId, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Say in a sentence why a task stands where it stands."""
    from tasks.orders.explain.explanation import MomentFormat
    from tasks.orders.explain.situation import situation_of
    from tasks.orders.explain.status import explain

    with opened(data_dir) as database, database.snapshot() as work:
        situation = situation_of(work, task_id)
    if situation is None:
        raise CommandError(f"there is no task {task_id}; `unpend task list` shows the newest")
    explanation = explain(situation)
    sentences = explanation.sentences(MomentFormat(situation.moments, situation.zone))
    if not as_json:
        show_line(sentences)
        return
    show_json(
        {
            "task_id": task_id,
            "stands": explanation.stands,
            "wait": explanation.wait.value,
            "waiting_for": explanation.waiting_for,
            "since": explanation.since,
            "until": explanation.until,
            "next": explanation.next,
            "note": explanation.note or None,
            "sentences": sentences,
        }
    )
