"""Limits on free-form JSON from outside: depth, keys and integers."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

DEEPEST: Final = 8
"""Objects and arrays within one another, the outermost included."""
MOST_KEYS: Final = 100
"""Keys in all, those of inner objects included."""
SMALLEST_INTEGER: Final = -(2**63)
LARGEST_INTEGER: Final = 2**63 - 1


def require_bounded(value: Mapping[str, Any], *, deepest: int = DEEPEST, most_keys: int = MOST_KEYS) -> None:
    """Return when the object is no deeper, has no more keys, and holds no larger integers than it may.

    Walks once, level by level, without recursion: what recursion cannot walk is what this refuses.

    Raises:
        ValueError: one of them; says which, and how much is allowed.
    """
    keys = 0
    level: list[Any] = [value]
    for _ in range(deepest):
        inner: list[Any] = []
        for container in level:
            items = container
            if isinstance(container, Mapping):
                keys += len(container)
                items = container.values()
            for item in items:
                if isinstance(item, (dict, list)):
                    inner.append(item)
                elif isinstance(item, int) and not SMALLEST_INTEGER <= item <= LARGEST_INTEGER:
                    raise ValueError("holds an integer of more than 64 bits; write it as text")
                elif isinstance(item, float) and not isfinite(item):
                    raise ValueError("holds a number that JSON does not have, such as NaN or Infinity")
        if keys > most_keys:
            raise ValueError(f"may have {most_keys} keys in all, those of inner objects included")
        if not inner:
            return
        level = inner
    raise ValueError(f"may be {deepest} levels deep, itself included")
