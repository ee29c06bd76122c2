"""How large what a step returns, and the variables of a run together, may be."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from statemachine.workflow.options.run_variable import VariableFault

LARGEST_OUTPUT: Final = 256 * 1024
"""Bytes of JSON that a step may return, a run may come to, and an event or message may carry."""
LARGEST_STATE: Final = 1024 * 1024
"""Bytes of JSON that the variables of a run may have together."""
ROOM_AROUND: Final = 4 * 1024
"""Bytes that the engine may put around what was measured before: the name and key of a message, the id of a run."""
ADVICE: Final = "keep what is long elsewhere, and its artifact_ref here"

Size = Callable[[object], int]
"""Counts the bytes that a value has as JSON."""


class OutputFault(ValueError):
    """A step returns, or sends, more than it may."""


def json_size(value: object) -> int:
    """The bytes that a value has as JSON, with nothing between its parts."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return len(text.encode(errors="replace"))


def size_together(values: Mapping[str, object], size: Size) -> int:
    """The bytes of an object of these values; each is measured alone, so that few are measured anew."""
    return 1 + sum(size(name) + size(value) + 2 for name, value in values.items())


def require_output(found: int, *, around: int = 0) -> None:
    """Return when a step may return so many bytes; `around`: those put around what was measured before.

    Raises:
        OutputFault: it may not; the message says how many it may, and what to do.
    """
    if found > LARGEST_OUTPUT + around:
        raise OutputFault(f"may have {LARGEST_OUTPUT:,} bytes as JSON, this has {found:,}: {ADVICE}")


def require_state(found: int) -> None:
    """Return when the variables of a run may have so many bytes.

    Raises:
        VariableFault: they may not; the message says how many they may, and what to do.
    """
    if found > LARGEST_STATE:
        raise VariableFault(
            f"the variables of a run may have {LARGEST_STATE:,} bytes as JSON together, these have {found:,}: {ADVICE}"
        )
