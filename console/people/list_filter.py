"""What the worklist is narrowed by: it stands in the address, and goes on from page to page."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from console.server.visit import Visit
from storage.people.worklist import COUNTED, Holder, WorklistFilter

ROWS: Final = 60
"""Reviews that a list shows at first."""
MOST_ROWS: Final = 480
_NONE: Final = "-"
"""Stands in the address for a review that has no product, no suggestion: empty is everything."""
_ROWS: Final = "rows"


def narrowed_by(visit: Visit) -> dict[str, str]:
    """The filters of the address, by their names there."""
    given = visit.query
    return {name: given[name] for name in (*COUNTED, "holder") if given.get(name)}


def filter_of(chosen: Mapping[str, str], login: str) -> WorklistFilter:
    """What is asked of the worklist; what cannot be read narrows nothing."""

    def text(name: str) -> str | None:
        value = chosen.get(name)
        return "" if value == _NONE else value

    holder, flagged = chosen.get("holder", ""), chosen.get("flagged")
    return WorklistFilter(
        reason=text("reason"),
        suggestion=text("suggestion"),
        product=text("product"),
        region=text("region"),
        workflow=text("workflow"),
        flagged=None if flagged is None else flagged == "true",
        holder=Holder(holder) if holder in list(Holder) else Holder.ANYONE,
        by=login,
    )


def rows_of(visit: Visit) -> int:
    """How many rows are asked for."""
    given = visit.query.get(_ROWS, "")
    return max(ROWS, min(MOST_ROWS, int(given))) if given.isascii() and given.isdigit() else ROWS


def query_of(visit: Visit) -> str:
    """The filters as an address has them, to be carried on."""
    kept = narrowed_by(visit) | ({_ROWS: str(rows_of(visit))} if rows_of(visit) > ROWS else {})
    return f"?{urlencode(kept)}" if kept else ""
