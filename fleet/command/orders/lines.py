"""Orders out of JSON Lines: one line at a time, whatever its size, each an order or what is wrong with it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from pydantic import ValidationError

from schemas.core.problems import Problem, problems_of
from schemas.orders.intake import TaskCreated

LONGEST: Final = 1024 * 1024
"""Bytes a line may have."""

_KEPT_OF_LONG: Final = 64 * 1024
"""Bytes that are kept of a line that is longer than that."""

_BOM: Final = b"\xef\xbb\xbf"
_OTHER_ENCODINGS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet"),
)


class NotLines(Exception):
    """The input as a whole is nothing that has lines of text; the message says what it seems to be."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line that holds a valid order."""

    number: int
    body: TaskCreated
    size: int


@dataclass(frozen=True, slots=True)
class FaultyLine:
    """A line that holds none, with the reason; `text` is what is kept of it and may hold a phone number."""

    number: int
    task_id: str | None
    problems: Sequence[Problem]
    text: str = field(repr=False)
    size: int
    order_id: str | None = None


def read_lines(stream: BinaryIO, *, priority: int | None = None) -> Iterator[OrderLine | FaultyLine]:
    """Every line that is not blank; `priority` goes to orders that name none.

    Raises:
        NotLines: the input is in an encoding that has no lines.
    """
    number = 0
    while raw := stream.readline(LONGEST + 1):
        number += 1
        if number == 1:
            raw = _beginning(raw)
        size = len(raw)
        if size > LONGEST and not raw.endswith(b"\n"):
            size += _skip(stream)
            yield _too_long(number, raw, size)
        elif raw.strip():
            yield _read_line(number, raw, priority)


def _read_line(number: int, raw: bytes, priority: int | None) -> OrderLine | FaultyLine:
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        problem = Problem(
            field="line",
            message=f"is not UTF-8 (byte 0x{raw[error.start]:02x} at position {error.start + 1}); "
            "save the file as UTF-8",
        )
        return FaultyLine(number, None, [problem], _kept(raw), len(raw))
    try:
        document = _parse(text)
    except _Unreadable as error:
        return FaultyLine(number, None, [Problem(field="line", message=str(error))], text, len(raw))
    if priority is not None:
        document.setdefault("priority", priority)
    try:
        return OrderLine(number, TaskCreated.model_validate(document), len(raw))
    except ValidationError as error:
        problems = [_with_remedy(problem) for problem in problems_of(error)]
        return FaultyLine(
            number, _id(document, "task_id"), problems, text, len(raw), order_id=_id(document, "order_id")
        )


class _Unreadable(ValueError):
    """A line that is no JSON object; the message says why and what to do."""


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
        # What cannot be written again as strict JSON (NaN, half a surrogate pair) cannot be stored either.
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as error:
        raise _Unreadable(
            f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at position {error.pos + 1}; "
            "write one JSON object a line"
        ) from error
    except RecursionError as error:
        raise _Unreadable("is nested too deeply; an order needs three levels at most") from error
    except UnicodeEncodeError as error:
        raise _Unreadable(
            "holds half of a surrogate pair (\\ud800 to \\udfff), which is no character"
        ) from error
    except ValueError as error:
        raise _Unreadable(
            "holds a number that JSON does not have (NaN, Infinity, or too large); write it as text"
        ) from error
    if not isinstance(document, dict):
        kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
        raise _Unreadable(
            f"holds {kind.get(type(document), 'a number')} and not an object; "
            'write one order a line, as {"task_id": …}'
        )
    return document


def _with_remedy(problem: Problem) -> Problem:
    """What is wrong with a field, and what to do about it where the message does not say so already."""
    # The name of an unknown field is the sender's: it must fit a column and a terminal.
    problem = Problem(field=printable(problem.field) or "line", message=problem.message)
    if problem.message == "field required":
        return Problem(field=problem.field, message="is missing; add it")
    if problem.message.startswith("is not a field"):
        return Problem(field=problem.field, message=f"{problem.message}; move it into metadata or remove it")
    if problem.field in ("task_id", "order_id"):
        return Problem(
            field=problem.field,
            message=f"{problem.message}; give 1 to 32 letters, digits, or _ . : - after the first",
        )
    if problem.field == "last_contact_time":
        return Problem(
            field=problem.field,
            message=f"{problem.message}; write it as 2026-03-09T09:06:00+08:00, with the offset",
        )
    return Problem(field=problem.field, message=f"{problem.message}; correct it and send the line again")


def _beginning(raw: bytes) -> bytes:
    for mark, name in _OTHER_ENCODINGS:
        if raw.startswith(mark):
            raise NotLines(f"seems to be {name}; it must be JSON Lines in UTF-8")
    return raw.removeprefix(_BOM)


def _skip(stream: BinaryIO) -> int:
    """Read on to the end of a line that is too long, keeping nothing; how many bytes that were."""
    skipped = 0
    while rest := stream.readline(LONGEST):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def _too_long(number: int, raw: bytes, size: int) -> FaultyLine:
    problem = Problem(
        field="line",
        message=f"has {size:,} bytes, more than the {LONGEST:,} a line may have; "
        f"its first {_KEPT_OF_LONG:,} are kept",
    )
    return FaultyLine(number, None, [problem], _kept(raw[:_KEPT_OF_LONG]), size)


def _kept(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace").rstrip("\r\n")


def _id(document: dict[str, Any], name: str) -> str | None:
    """An id of a refused line, as far as a column and a terminal can hold it."""
    given = document.get(name)
    if not isinstance(given, str):
        return None
    return printable(given)[:64] or None


def printable(text: str) -> str:
    """The text without control characters, at most 200 of what is left."""
    return "".join(character for character in text if character.isprintable())[:200]
