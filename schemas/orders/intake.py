"""The `task.created` payload: one model for every entry point (SPEC.md §5)."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
)

from schemas.core.form import to_utc
from schemas.core.free_json import require_bounded
from schemas.core.identifier import Identifier
from schemas.core.whole_number import WholeNumber

LARGEST_METADATA: Final = 16_384
"""Characters the metadata of an order may have as JSON."""

_EARLIEST_YEAR: Final = 2000
_LATEST_YEAR: Final = 2100


class Metadata(BaseModel):
    """What upstream tells of the order and its customer; further fields are kept, personal ones encrypted."""

    model_config = ConfigDict(extra="allow", frozen=True)

    customer_id: str | None = Field(default=None, max_length=64)
    phone: str | None = Field(default=None, max_length=32, repr=False)
    pending_reason: str | None = Field(default=None, max_length=500)
    timezone: str | None = Field(default=None, max_length=64)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Nothing of what came: it may be logged."""
        return []


class TaskCreated(BaseModel):
    """A suspended order as upstream sends it. Unknown top-level fields are refused, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_id: Identifier
    order_id: Identifier
    order_type: Literal["未上门", "已上门"]
    contact_count: WholeNumber = Field(default=0, ge=0, le=1000)
    last_contact_time: AwareDatetime | None = None
    priority: WholeNumber = Field(default=5, ge=1, le=10)
    mode: Literal["auto", "manual"] | None = None
    hold: Annotated[bool, Field(strict=True)] = False
    """Checked and kept `pending`: it begins with `POST /v1/tasks/{id}/start`, or the transition `task.start`."""
    metadata: Metadata = Field(default_factory=Metadata)

    @field_validator("last_contact_time")
    @classmethod
    def _plausible(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
            raise ValueError(f"lies outside the years {_EARLIEST_YEAR} to {_LATEST_YEAR}")
        return None if moment is None else to_utc(moment)

    @field_validator("metadata")
    @classmethod
    def _bounded(cls, metadata: Metadata) -> Metadata:
        known = {name: value for name, value in vars(metadata).items() if value is not None}
        require_bounded(known | (metadata.model_extra or {}))
        text = _as_json(metadata)
        if len(text) > LARGEST_METADATA:
            raise ValueError(f"may have {LARGEST_METADATA} characters as JSON, this has {len(text)}")
        if "\\u0000" in text:
            raise ValueError("holds a NUL character, which cannot be stored")
        if metadata.timezone:
            _require_zone(metadata.timezone)
        return metadata

    def digest(self) -> bytes:
        """What tells this body from another under the same task_id: equal for equal meaning."""
        # What is not held reads as it did before orders could be: bodies that are known keep their digest.
        body = self.model_dump(mode="json", exclude=None if self.hold else {"hold"})
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


def _as_json(metadata: Metadata) -> str:
    """The metadata as JSON that PostgreSQL and every reader can hold."""
    try:
        return orjson.dumps(metadata.model_dump()).decode()
    except orjson.JSONEncodeError as error:
        raise ValueError("holds half a character (a lone surrogate), which no text can hold") from error


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("timezone is not an IANA name such as Asia/Shanghai") from error
