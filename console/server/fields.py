"""Fields and addresses that many pages have: what is wrong with a text, what a query asks for."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from api.server.refusal import unknown
from console.server.form import FieldFault, Form
from console.server.times import ZONE
from console.server.visit import Visit
from schemas.core.form import plausible, storable

LONGEST_REASON: Final = 500
PAGE_ROWS: Final = 100
"""Rows that a page of a list has."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def text_fault(text: str, *, longest: int = LONGEST_REASON, is_needed: bool = True) -> FieldFault | None:
    """What is wrong with a text that a person wrote."""
    if not text:
        return FieldFault("fields.fault.empty") if is_needed else None
    if len(text) > longest:
        return FieldFault("fields.fault.long", {"longest": longest})
    try:
        storable(text)
    except ValueError:
        return FieldFault("fields.fault.character")
    return None


def chosen(visit: Visit, name: str, offered: Collection[str]) -> str | None:
    """What the query chooses of what is offered; `None` where it chooses nothing, or something else."""
    value = visit.query.get(name, "")
    return value if value in offered else None


def named(visit: Visit, name: str) -> str | None:
    """The name or id that the query has; `None` where it has none that anything of ours could have."""
    value = visit.query.get(name, "").strip()
    return value if _NAME.fullmatch(value) else None


def names_in(form: Form, name: str) -> Sequence[str]:
    """The names or ids that are chosen in a field, each once, no more than a page has."""
    return [value for value in dict.fromkeys(form.all(name)) if _NAME.fullmatch(value)][:PAGE_ROWS]


def identified(visit: Visit, name: str, what: str) -> str:
    """The id in the path.

    Raises:
        Refusal: nothing of ours can be called so (404).
    """
    value = visit.path[name]
    if not _NAME.fullmatch(value):
        raise unknown(what, value)
    return value


def end_of_day(text: str) -> datetime:
    """When the day ends that a field names.

    Raises:
        ValueError: it names none.
    """
    return plausible(midnight(date.fromisoformat(text) + timedelta(days=1)))


def moment_in(text: str) -> datetime:
    """The moment that a field names, in the zone of the pages.

    Raises:
        ValueError: it names none.
    """
    found = datetime.fromisoformat(text)
    return plausible((found if found.tzinfo else found.replace(tzinfo=ZONE)).astimezone(UTC))


def midnight(day: date) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), tzinfo=ZONE).astimezone(UTC)


def query_of(values: Mapping[str, str | None]) -> str:
    """What is not empty, as the query of an address; nothing where all is."""
    kept = {name: value for name, value in values.items() if value}
    return f"?{urlencode(kept)}" if kept else ""
