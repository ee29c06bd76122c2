"""What is wrong with an input: each field with its fault in words for people, and never with its value."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

_LONGEST_FIELD_NAME: Final = 100
_NO_OBJECT: Final = frozenset({"model_type", "model_attributes_type", "dict_type"})


class Problem(BaseModel):
    """One thing wrong with an input: the field, what is wrong with it, in words for people."""

    model_config = ConfigDict(frozen=True)

    field: str
    message: str


def problems_of(error: ValidationError, of: str = "task.created") -> list[Problem]:
    """Everything that is wrong with a refused input: the fields, none of their values (they may be phone numbers).

    Args:
        error: What is wrong with it.
        of: What the input is, as its sender calls it.
    """
    return [
        Problem(
            field=_legible(".".join(str(part) for part in fault["loc"])) or "body",
            message=message_of(fault, of),
        )
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _legible(name: str) -> str:
    """A field's name as it may be stored and shown: upstream may have named it anything."""
    return "".join(character for character in name if character.isprintable())[:_LONGEST_FIELD_NAME]


def message_of(fault: Any, of: str) -> str:
    """What is wrong with one field, in the words of its sender and not of Python."""
    if fault["type"] == "extra_forbidden":
        return f"is not a field of {of}"
    if fault["type"] == "json_invalid":
        return "is not JSON; send one JSON object, in UTF-8"
    if fault["type"] in _NO_OBJECT:
        return "must be a JSON object"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def as_records(problems: Sequence[Problem]) -> list[dict[str, object]]:
    """Problems as they are stored and sent."""
    return [problem.model_dump() for problem in problems]
