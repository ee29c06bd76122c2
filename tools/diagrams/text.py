"""Text of a diagram: what of it may be shown, how wide it is about, and its lines in a given width.

No font is measured: a picture is shown with whatever font its reader has. A Chinese character is as wide as it is high
(one em) in all of them.
"""

import re
import unicodedata
from typing import Final

LINE_HEIGHT: Final = 1.25
"""Of a line, in ems."""
_NARROW: Final = 0.6
_SLIM: Final = frozenset("iIljtfr.,:;!|'`()[]{} ")
_BROAD: Final = frozenset("mwMW@%&—…")
_ELLIPSIS: Final = "…"
_MOST: Final = 2_000
"""Characters that are looked at; what is behind them would never fit."""
_UNSEEN: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Categories of characters that have no picture, or that XML may not have."""
_NEVER_FIRST: Final = "，。、；：！？）】》」』”’…,.;:!?)]}%"
_CHUNK: Final = re.compile(
    rf"\s+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef][{re.escape(_NEVER_FIRST)}]*"
    r"|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+?(?:[_./\-](?=\w)|(?=[\s\u2e80-\u9fff])|$)"
    r"|."
)


def shown(text: str) -> str:
    """The text as it may stand in a picture: one space for white space, nothing that turns its direction around."""
    cleaned = "".join(map(_shown_character, text[:_MOST]))
    return re.sub(r"\s+", " ", cleaned).strip()


def _shown_character(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if category == "Cf":
        return ""
    return "\N{REPLACEMENT CHARACTER}" if category in _UNSEEN else character


def width_of(text: str, size: float) -> float:
    """About how wide a line of text is in letters of that size."""
    return size * sum(map(_ems, text))


def _ems(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in _SLIM:
        return 0.36
    if character in _BROAD:
        return 1.0
    return 0.72 if character.isupper() else _NARROW


def lines_of(text: str, size: float, width: float, most: int) -> tuple[str, ...]:
    """The text in lines of that width, broken between words and Chinese characters; three dots where it goes on."""
    lines: list[str] = []
    line = ""
    for chunk in _chunks(shown(text), size, width):
        if line and width_of((line + chunk).rstrip(), size) > width:
            lines.append(line.rstrip())
            line = ""
            if len(lines) > most:
                break
        line += chunk if line else chunk.lstrip()
    if line.rstrip():
        lines.append(line.rstrip())
    if len(lines) <= most:
        return tuple(lines)
    return (*lines[: most - 1], _ended(lines[most - 1], size, width))


def _chunks(text: str, size: float, width: float) -> list[str]:
    """What is not broken unless it is wider than a line."""
    chunks: list[str] = []
    for found in _CHUNK.finditer(text):
        chunk = found[0]
        while len(chunk) > 1 and width_of(chunk.rstrip(), size) > width:
            fits = _fitting(chunk, size, width)
            chunks.append(chunk[:fits])
            chunk = chunk[fits:]
        chunks.append(chunk)
    return chunks


def _fitting(text: str, size: float, width: float) -> int:
    """How many characters go into the width; one at least."""
    used = 0.0
    for at, character in enumerate(text):
        used += size * _ems(character)
        if used > width:
            return max(1, at)
    return len(text)


def _ended(line: str, size: float, width: float) -> str:
    """The line with three dots behind as much of it as they leave room for."""
    return line[: _fitting(line, size, width - width_of(_ELLIPSIS, size))].rstrip() + _ELLIPSIS
