"""The variables of a workflow: what they begin with, what they may hold, and how parallel writers share them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Merge(Enum):
    """What a further value makes of the one that is there."""

    LAST = "last"
    APPEND = "append"
    UNION = "union"
    SUM = "sum"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunVariable:
    """One variable as the definition declares it."""

    name: str
    default: Any = None
    schema: Mapping[str, object] = field(default_factory=dict)
    """What it may hold, as a JSON Schema; empty: anything."""
    merge: Merge | None = None
    """None: the last value, and two branches that are open together may not both write it."""
