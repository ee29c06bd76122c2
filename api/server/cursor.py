"""Where a page of a list ended: an opaque text that its reader hands back for the next page."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Final

from fastapi import Query

from api.server.refusal import Refusal, invalid
from schemas.core.form import plausible, storable

_LONGEST: Final = 256
_LONGEST_NAME: Final = 64

Cursor = Annotated[
    str | None,
    Query(max_length=_LONGEST, description="`next_cursor` of the page before; opaque, and never made up."),
]
"""The parameter of every list that is read page by page."""

Place = tuple[datetime, str]
"""The moment and the name of the last row of a page: what the next page begins after."""


def cursor_of(place: Place) -> str:
    """The place as callers carry it."""
    moment, name = place
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {name}".encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> Place | None:
    """The place a caller hands back; `None` for the first page.

    Raises:
        Refusal: it is no cursor of ours (422).
    """
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        moment, name = text.split(" ")
        at = plausible(datetime.fromisoformat(moment))
        storable(name)
    except (binascii.Error, ValueError) as error:
        raise no_place() from error
    if at.tzinfo is None or len(name) > _LONGEST_NAME:
        raise no_place()
    return at, name


def no_place() -> Refusal:
    """What is answered to a cursor that is none of ours."""
    return invalid([("cursor", "is not the next_cursor of a page; leave it out to begin at the first")])
