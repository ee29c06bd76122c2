"""The open reviews as `unpend review list` shows them: in the order in which people see to them."""

from pathlib import Path
from typing import Final

from fleet.command.client import connected
from fleet.command.output import show_json, show_line, show_table
from fleet.command.people.question import document_of
from schemas.core.language import Language

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def list_worklist(limit: int, data_dir: Path | None, *, language: Language, as_json: bool) -> None:
    """Show so many open reviews with who has them and the time left to decide."""
    with connected(data_dir, language=language) as api:
        reviews = api.rows("reviews/worklist", "reviews", limit)
    if as_json:
        show_json([{**document_of(review), "state": "open"} for review in reviews])
        return
    if not reviews:
        show_line("there are no reviews that are open")
        return
    show_table(
        ("review", "task", "reason", "question", "suggestion", "left", "taken by", "decide"),
        [
            (
                review["review_id"],
                review["task_id"] or review["execution_id"],
                f"{review['reason']} (flagged)" if review["flagged"] else review["reason"],
                review["question"],
                review["suggestion"],
                _left(review["seconds_left"]),
                review["claimed_by"],
                "|".join(review["decisions"]),
            )
            for review in reviews
        ],
    )


def _left(seconds: int | None) -> str | None:
    """The time left in its two largest units."""
    if seconds is None:
        return None
    if seconds < 0:
        return f"overdue {_left(-seconds)}"
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // _MINUTE
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
