"""Which review a command is about: named by its own id, or by the task that has an open one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from fleet.command.client import NOT_FOUND, ApiRefused, refusals, segment
from fleet.command.failure import CommandError

if TYPE_CHECKING:
    from fleet.command.client import Client

ReviewId = Annotated[
    str, typer.Argument(metavar="ID", help="A review_id, or the task_id of an order that has an open one.")
]


def find_review(api: Client, named: str) -> dict[str, Any]:
    """The open review of this task, else the review of this id; without what the customer said.

    Raises:
        CommandError: there is none; a task without an open review is distinguished from an unknown name.
    """
    of_task: list[dict[str, Any]] = api.get("reviews", task_id=named, limit=1)["reviews"]
    if of_task:
        return of_task[0]
    with refusals(not_found=f"there is no review {named}; `unpend review list` shows the open ones"):
        try:
            found: dict[str, Any] = api.get(f"reviews/{segment(named)}", words=False)
        except ApiRefused as error:
            if error.status == NOT_FOUND and _is_task(api, named):
                raise CommandError(
                    f"task {named} has no open review; `unpend why {named}` says what it waits for"
                ) from error
            raise
    return found


def title_of(review: Mapping[str, Any]) -> str:
    """The title of a review in messages to people."""
    return f"review {review['review_id']} of task {review['task_id'] or review['execution_id']}"


def zone_of(api: Client, task_id: str | None) -> ZoneInfo:
    """The customer's time zone."""
    from tools.contact_policy.zone import DEFAULT_ZONE

    return ZoneInfo(api.get(f"tasks/{segment(task_id)}/why")["timezone"] if task_id else DEFAULT_ZONE)


def _is_task(api: Client, named: str) -> bool:
    try:
        api.get(f"tasks/{segment(named)}")
    except ApiRefused:
        return False
    return True


def document_of(review: Mapping[str, Any]) -> dict[str, Any]:
    """A review as commands show it to scripts: by the names of the table."""
    named = {"execution_id": "run_id", "step": "node"}
    return {named.get(name, name): value for name, value in review.items() if name != "words"}
