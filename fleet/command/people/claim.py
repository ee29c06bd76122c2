"""`unpend review claim` and `release`: who works on a review."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.command.client import ADMIN, OPERATOR, connected, refusals, segment
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of
from fleet.command.output import show_line
from fleet.command.people.question import ReviewId, find_review, title_of


def claim(review_id: ReviewId, by: By = None, data_dir: DataDir = None) -> None:
    """Take a review: for 30 minutes nobody else decides it; again renews that."""
    taken = _post(review_id, "claim", name_of(by), data_dir)
    still = "still " if taken["outcome"] == "repeated" else ""
    show_line(f"{title_of(taken['review'])} is {still}taken by {taken['review']['claimed_by']}")


def release(
    review_id: ReviewId,
    by: By = None,
    data_dir: DataDir = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Even when another person has it.")] = False,
) -> None:
    """Give a review back, for anyone to take."""
    # An admin gives back what anybody has; an operator what they have themselves.
    given = _post(review_id, "release", name_of(by), data_dir, ADMIN if force else OPERATOR)
    outcome = "was taken by nobody" if given["outcome"] == "repeated" else "is given back"
    show_line(f"{title_of(given['review'])} {outcome}")


def stands_against(review: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """Why a review cannot be taken, given back or decided: another has it, or it waits no more."""
    if details.get("claimed_by"):
        return f"{title_of(review)} is taken by {details['claimed_by']}; nothing was changed"
    return f"{title_of(review)} is {details['review_state']}; nothing was changed"


def _post(named: str, verb: str, name: str | None, data_dir: Path | None, owner: str = OPERATOR) -> Any:
    with connected(data_dir, owner) as api:
        found = find_review(api, named)
        with refusals(conflict=lambda details: stands_against(found, details)):
            return api.post(f"reviews/{segment(found['review_id'])}/{verb}", {"by": name})
