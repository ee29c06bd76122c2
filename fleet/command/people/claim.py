"""`unpend review claim` and `release`: who is at a question, so that no second person works on the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fleet.command.failure import CommandError
from fleet.command.location import DataDir, opened
from fleet.command.orders.task import By, name_of
from fleet.command.output import show_line
from fleet.command.people.question import ReviewId, find_review

if TYPE_CHECKING:
    from storage.people.reviews import Review
    from tasks.people.claims import Claimed


def claim(review_id: ReviewId, by: By = "operator", data_dir: DataDir = None) -> None:
    """Take a review: for 30 minutes nobody else decides it; again renews that."""
    from tasks.people.claims import Claimed
    from tasks.people.claims import claim as carry_out

    name = name_of(by)
    with opened(data_dir) as database:
        with database.snapshot() as work:
            found = find_review(work, review_id)
        became, review = carry_out(database, found.review_id, by=name)
    _check(found, became, review)
    show_line(f"{_title(found)} is {'still ' if became is Claimed.REPEATED else ''}taken by {name}")


def release(
    review_id: ReviewId,
    by: By = "operator",
    data_dir: DataDir = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Even when another person has it.")] = False,
) -> None:
    """Give a review back, for anyone to take."""
    from tasks.people.claims import Claimed
    from tasks.people.claims import release as carry_out

    name = name_of(by)
    with opened(data_dir) as database:
        with database.snapshot() as work:
            found = find_review(work, review_id)
        became, review = carry_out(database, found.review_id, by=name, whoever_has_it=force)
    _check(found, became, review)
    show_line(f"{_title(found)} {'was taken by nobody' if became is Claimed.REPEATED else 'is given back'}")


def taken(review: Review) -> CommandError:
    """Another person is at it."""
    return CommandError(f"{_title(review)} is taken by {review.claimed_by}; nothing was changed")


def _check(found: Review, became: Claimed, review: Review | None) -> None:
    from tasks.people.claims import Claimed

    if became is Claimed.TAKEN and review is not None:
        raise taken(review)
    if became in (Claimed.ENDED, Claimed.UNKNOWN):
        raise CommandError(f"{_title(found)} is {review.state if review else 'gone'}; nothing was changed")


def _title(review: Review) -> str:
    return f"review {review.review_id} of task {review.task_id or review.run_id}"
