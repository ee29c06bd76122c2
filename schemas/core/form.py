"""The common form of HTTP bodies: immutable, moments in UTC with Z, text that PostgreSQL can store."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)

from runtime.mask import mask_text
from schemas.core.free_json import require_bounded
from statemachine.workflow.options.sizes import require_output

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2199
_LARGEST_OBJECT: Final = 16_384
_DEEPEST_PAYLOAD: Final = 33
_MOST_PAYLOAD_KEYS: Final = 10_000


class Sent(BaseModel):
    """A request: a field it does not know is refused, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answered(BaseModel):
    """A response."""

    model_config = ConfigDict(frozen=True)


class Succeeded(Answered):
    """A response in the seed's form for what was done."""

    success: Literal[True] = True


def in_utc(moment: datetime) -> str:
    """The moment as ISO 8601 in UTC, to the millisecond, with Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def storable(text: str) -> str:
    """The text, when PostgreSQL can hold it.

    Raises:
        ValueError: it holds a NUL character or half of one.
    """
    if "\x00" in text:
        raise ValueError("holds a NUL character, which cannot be stored")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds half a character (a lone surrogate), which no text can hold")
    return text


def plausible(moment: datetime) -> datetime:
    """The moment, when it lies in years that a calendar, a database and a time zone can all hold.

    Raises:
        ValueError: it does not.
    """
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC: PostgreSQL takes no offset beyond 15:59:59, ISO 8601 any below a day."""
    return moment.astimezone(UTC)


def storable_object(value: dict[str, Any]) -> dict[str, Any]:
    """The JSON object, when PostgreSQL can hold it and it is of a reasonable size, depth and width.

    Raises:
        ValueError: it is too large, too deep or too wide, or a text or number in it cannot be stored.
    """
    require_bounded(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(text) > _LARGEST_OBJECT:
        raise ValueError(f"may have {_LARGEST_OBJECT} characters as JSON, this has {len(text)}")
    _storable_json(value, text)
    return value


def storable_output(value: dict[str, Any]) -> dict[str, Any]:
    """The same for what a step returns: it may be larger, deeper and wider.

    Raises:
        ValueError: as `storable_object`.
    """
    storable_payload(value)
    return value


def storable_payload(value: Any) -> Any:
    """The JSON value, when PostgreSQL can hold it and it is of a size, depth and width that an event may have.

    Raises:
        ValueError: as `storable_object`.
    """
    require_bounded({"payload": value}, deepest=_DEEPEST_PAYLOAD, most_keys=_MOST_PAYLOAD_KEYS)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    require_output(len(text.encode(errors="surrogatepass")))
    return _storable_json(value, text)


def _storable_json(value: Any, text: str) -> Any:
    if "\\u0000" in text or not _is_text(text):
        raise ValueError("holds a character that cannot be stored")
    return value


def _is_text(text: str) -> bool:
    """Whether it holds no half of a character (a lone surrogate)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Moment = Annotated[
    datetime,
    PlainSerializer(in_utc, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A moment in a response."""

GivenMoment = Annotated[AwareDatetime, AfterValidator(plausible), AfterValidator(to_utc)]
"""A moment in a request: with its offset from UTC, whatever that is; kept in UTC."""

Text = Annotated[str, AfterValidator(storable)]
"""Words in a request."""

Remark = Annotated[Text, AfterValidator(mask_text)]
"""What a person notes or gives as a reason: it is kept and shown in clear, so numbers in it are masked."""
