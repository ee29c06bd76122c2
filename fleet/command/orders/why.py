"""`unpend why`: what a task waits for, since when, until when, and what happens next."""

from typing import Annotated

import typer

from fleet.command.client import connected, refusals, segment
from fleet.command.language import Lang
from fleet.command.location import DataDir
from fleet.command.orders.task import unknown
from fleet.command.output import AsJson, show_json, show_line
from schemas.core.language import Language

TaskId = Annotated[str, typer.Argument(metavar="ID", help="A task_id, or the execution_id of any run.")]


def why(
    task_id: TaskId, data_dir: DataDir = None, language: Lang = Language.CHINESE, *, as_json: AsJson = False
) -> None:
    """Say in a sentence why a task stands where it stands."""
    with connected(data_dir, language=language) as api, refusals(not_found=unknown(task_id)):
        found = api.get(f"tasks/{segment(task_id)}/why")
    if as_json:
        show_json(found)
    else:
        show_line(found["sentences"])
