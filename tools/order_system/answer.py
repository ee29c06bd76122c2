"""Parses the order system's answers: sizes limited, every field optional."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from runtime.mask import mask_text
from schemas.core.free_json import require_bounded
from tools.order_system.contract import ActionRefused, Booked, Offered, Performed, Slot

_LARGEST_RESULT: Final = 4096
_LONGEST_REASON: Final = 200
_MOST_DAYS: Final = 62
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2199


def _plain_day(value: object) -> object:
    """A day as `2026-03-16` only: numbers would be read as seconds of an epoch."""
    if not isinstance(value, str):
        raise ValueError("a day is written as 2026-03-16")  # noqa: TRY004 - pydantic reports ValueError
    return value


_Day = Annotated[date, BeforeValidator(_plain_day)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _SlotSaid(_Said):
    visit_at: AwareDatetime | None = None
    day: _Day | None = None
    name: str | None = Field(default=None, max_length=64)


class _ErrorSaid(_Said):
    code: str | None = None
    message: str | None = None


class _DaySaid(_Said):
    day: _Day
    free: int = Field(ge=0, le=1_000_000)
    capacity: int | None = Field(default=None, ge=0, le=1_000_000)


class _SlotsSaid(_Said):
    limited: bool = True
    slots: tuple[_DaySaid, ...] = Field(default=(), max_length=_MOST_DAYS)


def performed_of(document: Mapping[str, Any] | None) -> Performed:
    """Parse the details of an action that was carried out; invalid fields are left out."""
    said = document or {}
    return Performed(result=_result(said.get("result")), slot=_slot(said.get("slot")))


def refused_of(status: int, document: Mapping[str, Any] | None) -> ActionRefused:
    """Return the reason for a refusal, in words that may be shown to people."""
    said = document or {}
    try:
        error = _ErrorSaid.model_validate(said.get("error") or {})
    except ValidationError:
        error = _ErrorSaid()
    code = error.code if error.code and _CODE.fullmatch(error.code) else "order_system_refused"
    words = _words(error.message)
    return ActionRefused(
        code=code,
        reason=f"{words} (HTTP {status})" if words else f"HTTP {status}",
        offered_days=_days(said.get("offered_days")),
    )


def offered_of(document: Mapping[str, Any] | None) -> Offered | None:
    """Parse the offered slots; `None` when they are invalid."""
    try:
        said = _SlotsSaid.model_validate(document)
    except ValidationError:
        return None
    return Offered(
        limited=said.limited,
        slots=tuple(Slot(day=slot.day, free=slot.free, capacity=slot.capacity) for slot in said.slots),
    )


def _result(result: object) -> Mapping[str, Any]:
    if not isinstance(result, dict):
        return {}
    try:
        require_bounded(result)
        text = json.dumps(result, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        return {}
    return {} if len(text) > _LARGEST_RESULT or "\\u0000" in text else result


def _slot(slot: object) -> Booked | None:
    try:
        said = _SlotSaid.model_validate(slot)
    except ValidationError:
        return None
    if not (_plausible(said.visit_at) and _plausible(said.day)) or (said.name and not _storable(said.name)):
        return None
    return Booked(visit_at=said.visit_at and said.visit_at.astimezone(UTC), day=said.day, name=said.name)


def _days(days: object) -> tuple[date, ...]:
    found = []
    for day in days[:_MOST_DAYS] if isinstance(days, list) else ():
        try:
            found.append(date.fromisoformat(day))
        except (TypeError, ValueError):
            continue
    return tuple(found)


def _plausible(moment: datetime | date | None) -> bool:
    return moment is None or _FIRST_YEAR <= moment.year <= _LAST_YEAR


def _storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _words(message: str | None) -> str:
    if not message or not _storable(message):
        return ""
    return mask_text(message)[:_LONGEST_REASON]
