"""Everything known of one order, as a document and as a timeline for people."""

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from fleet.command.client import moment
from fleet.command.output import show_line, show_table

_LONGEST: Final = 80
_FOR_PEOPLE: Final = frozenset({"facts", "timeline", "timezone"})


def document_of(dossier: Mapping[str, Any]) -> dict[str, Any]:
    """The dossier for scripts."""
    return {name: value for name, value in dossier.items() if name not in _FOR_PEOPLE}


def show_dossier(dossier: Mapping[str, Any]) -> None:
    """Print the dossier for people."""
    for line in dossier["facts"]:
        show_line(line)
    show_line()
    zone = ZoneInfo(dossier["timezone"])
    show_table(
        ("when", "what", "detail"),
        [
            (f"{moment(row['at']).astimezone(zone):%Y-%m-%d %H:%M:%S}", row["what"], row["detail"])
            for row in dossier["timeline"]
        ],
        title=f"timeline, business time in {zone.key}",
    )
    show_line()
    show_table(
        ("step", "title", "state", "queue", "delivery", "tries", "crashes", "said"),
        [
            (
                row["node"],
                row["title"],
                f"{row['state']}, held" if row["held"] else row["state"],
                row["queue"] or "",
                row["delivery"],
                row["tries"],
                row["crashes"],
                _cut(str((row["error"] or {}).get("message") or "")),
            )
            for row in dossier["steps"]
        ],
        title=f"steps of {dossier['order']['execution_id']}, {dossier['run']['state']}",
    )
    for review in dossier["reviews"]:
        if review["state"] == "open":
            show_line()
            show_line(f"open review {review['review_id']} ({review['reason']}): {review['question']}")
            show_line(f"  it can be answered with: {', '.join(review['decisions'])}")
    show_line()
    show_line(dossier["why"])


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
