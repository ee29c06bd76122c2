"""The `task.created` payload: one model for every door (SPEC.md §5)."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from runtime.names import FORM, LONGEST
from schemas.core.free_json import require_bounded
from schemas.core.whole_number import WholeNumber

LARGEST_METADATA: Final = 16_384
"""Characters the metadata of an order may have as JSON."""

_LONGEST_FIELD_NAME: Final = 100
_EARLIEST_YEAR: Final = 2000
_LATEST_YEAR: Final = 2100
_NO_OBJECT: Final = frozenset({"model_type", "model_attributes_type", "dict_type"})

Identifier = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=rf"^{FORM}$")]


class Metadata(BaseModel):
    """What upstream tells of the order and its customer; further fields are kept as they are."""

    model_config = ConfigDict(extra="allow", frozen=True)

    customer_id: str | None = Field(default=None, max_length=64)
    phone: str | None = Field(default=None, max_length=32, repr=False)
    pending_reason: str | None = Field(default=None, max_length=500)
    timezone: str | None = Field(default=None, max_length=64)


class TaskCreated(BaseModel):
    """A suspended order as upstream sends it. Unknown top-level fields are refused, by name."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "task_id": "HT20260313001",
                    "order_id": "SO20260313001",
                    "order_type": "未上门",
                    "contact_count": 0,
                    "last_contact_time": None,
                    "metadata": {
                        "customer_id": "CUST001",
                        "phone": "138****0000",
                        "pending_reason": "用户要求改约",
                    },
                }
            ]
        },
    )

    task_id: Identifier
    order_id: Identifier
    order_type: Literal["未上门", "已上门"]
    contact_count: WholeNumber = Field(default=0, ge=0, le=1000)
    last_contact_time: AwareDatetime | None = None
    priority: WholeNumber = Field(default=5, ge=1, le=10)
    mode: Literal["auto", "manual"] | None = None
    metadata: Metadata = Field(default_factory=Metadata)

    @field_validator("last_contact_time")
    @classmethod
    def _plausible(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
            raise ValueError(f"lies outside the years {_EARLIEST_YEAR} to {_LATEST_YEAR}")
        return moment

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
        body = self.model_dump(mode="json")
        if self.last_contact_time is not None:
            # The same moment may be written in any zone.
            body["last_contact_time"] = self.last_contact_time.astimezone(UTC).isoformat()
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


def _as_json(metadata: Metadata) -> str:
    """The metadata as JSON that PostgreSQL and every reader can hold."""
    try:
        return orjson.dumps(metadata.model_dump()).decode()
    except orjson.JSONEncodeError as error:
        raise ValueError("holds half a character (a lone surrogate), which no text can hold") from error


class Problem(BaseModel):
    """One thing wrong with an input: the field, what is wrong with it, in words for people."""

    model_config = ConfigDict(frozen=True)

    field: str
    message: str


def problems_of(error: ValidationError, of: str = "task.created") -> list[Problem]:
    """What a refused input is told: every field, none of its values (they may be phone numbers).

    Args:
        error: What is wrong with it.
        of: What the input is, as its sender calls it.
    """
    return [
        Problem(
            field=_legible(".".join(str(part) for part in fault["loc"])) or "body", message=said(fault, of)
        )
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _legible(name: str) -> str:
    """A field's name as it may be stored and shown: upstream may have named it anything."""
    return "".join(character for character in name if character.isprintable())[:_LONGEST_FIELD_NAME]


def said(fault: Any, of: str) -> str:
    """What is wrong with one field, in the sender's words and none of Python's."""
    if fault["type"] == "extra_forbidden":
        return f"is not a field of {of}"
    if fault["type"] == "json_invalid":
        return "is not JSON; send one JSON object, in UTF-8"
    if fault["type"] in _NO_OBJECT:
        return "must be a JSON object"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("timezone is not an IANA name such as Asia/Shanghai") from error


def as_records(problems: Sequence[Problem]) -> list[dict[str, object]]:
    """Problems as they are stored and sent."""
    return [problem.model_dump() for problem in problems]
