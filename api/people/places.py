"""Places in the worklist, as their readers carry them: beside where a row stands, when the first page was read."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from api.server.cursor import cursor_of, no_place, place_of
from storage.people.worklist import WorklistPlace

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NAME: Final = re.compile(r"(?P<band>[012])-(?P<began_at>[0-9]{1,16})-(?P<review_id>\S+)", re.ASCII)


def worklist_cursor_of(place: WorklistPlace) -> str:
    """The place as callers carry it."""
    began_at = (place.began_at - _EPOCH) // _MICROSECOND
    return cursor_of((place.rank_at, f"{place.band}-{began_at}-{place.review_id}"))


def worklist_place_of(cursor: str | None) -> WorklistPlace | None:
    """The place a caller hands back; `None` for the first page.

    Raises:
        Refusal: it is no cursor of ours (422).
    """
    place = place_of(cursor)
    if place is None:
        return None
    rank_at, name = place
    found = _NAME.fullmatch(name)
    if found is None:
        raise no_place()
    return WorklistPlace(
        began_at=_EPOCH + int(found["began_at"]) * _MICROSECOND,
        band=int(found["band"]),
        rank_at=rank_at,
        review_id=found["review_id"],
    )
