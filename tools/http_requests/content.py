"""What the other side says, as it can be kept: JSON that is not too deep, or text."""

from email.message import Message
from typing import Final

import orjson

LARGEST_BODY: Final = 262_144
"""Bytes that an answer, and what is sent to a callback address, may have."""
_DEEPEST: Final = 64


class UnfitContent(ValueError):
    """It cannot be kept; the message says why and shows nothing of it."""


def read_json(body: bytes) -> object:
    """The value of this JSON.

    Raises:
        UnfitContent: it is no JSON, too deep, or holds characters that cannot be stored.
    """
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnfitContent("it is not JSON, in UTF-8") from None
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.keys()
                inner += each.values()
            elif isinstance(each, list):
                inner += each
            elif isinstance(each, str) and "\x00" in each:
                raise UnfitContent("it holds the character U+0000, which cannot be stored")
        if not inner:
            return value
        level = inner
    raise UnfitContent(f"it is nested deeper than {_DEEPEST} levels")


def read_content(body: bytes, content_type: str | None) -> object:
    """What a body holds by its type: JSON where it says so, or says nothing and is; else text, null where it is empty.

    Raises:
        UnfitContent: it says that it is JSON, and cannot be kept as such.
    """
    if not body:
        return None
    header = Message()
    header["content-type"] = content_type or "application/octet-stream"
    kind = header.get_content_type()
    if kind == "application/json" or kind.endswith("+json"):
        return read_json(body)
    if content_type is None:
        try:
            return read_json(body)
        except UnfitContent:
            return _text(body, None)
    return _text(body, header.get_content_charset())


def _text(body: bytes, charset: str | None) -> str:
    """The text; what cannot be read or stored of it is replaced."""
    try:
        text = body.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        text = body.decode("utf-8", "replace")
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()
