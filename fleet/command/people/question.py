"""Which review a command is about: named by its own id, or by the task that has an open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fleet.command.failure import CommandError

if TYPE_CHECKING:
    from storage.core.unit_of_work import UnitOfWork
    from storage.people.reviews import Review

ReviewId = Annotated[
    str, typer.Argument(metavar="ID", help="A review_id, or the task_id of an order that has an open one.")
]


def find_review(work: UnitOfWork, review_id: str) -> Review:
    """The review of this id, or the open one of this task.

    Raises:
        CommandError: there is none; a task without an open review is told apart from an unknown name.
    """
    from storage.orders.orders import Orders
    from storage.people.reviews import Reviews

    review = Reviews(work).find(review_id)
    if review is not None:
        return review
    review = Reviews(work).open_of(review_id)
    if review is not None:
        return review
    if Orders(work).find([review_id]):
        raise CommandError(
            f"task {review_id} has no open review; `unpend why {review_id}` says what it waits for"
        )
    raise CommandError(f"there is no review {review_id}; `unpend review list` shows the open ones")
