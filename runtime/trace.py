"""Trace ids: one for everything that follows from a request, as W3C Trace Context has them."""

import re
import secrets
from typing import Final

TRACE_DIGITS: Final = 32
"""Hex digits of a trace id."""

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.ASCII)
_INVALID_VERSION: Final = "ff"
_FIRST_VERSION: Final = "00"
_NONE: Final = frozenset("0")


def new_trace_id() -> str:
    """Return a new trace id: 32 hex digits by chance, never all zeros."""
    return f"{secrets.randbits(4 * TRACE_DIGITS) or 1:0{TRACE_DIGITS}x}"


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace id of a `traceparent` header; `None` where there is none, or it is not as W3C has it.

    A later version may carry more behind another dash; the first one must not. Upper case, ids of zeros alone and the
    version `ff` are invalid.
    """
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return None
    version, trace_id, parent_id, more = found.groups()
    if version == _INVALID_VERSION or (version == _FIRST_VERSION and more is not None):
        return None
    return None if _NONE in (frozenset(trace_id), frozenset(parent_id)) else trace_id
