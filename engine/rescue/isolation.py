"""Isolation: what goes wrong with one row or one message becomes a value, so that its neighbours go on."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from engine.publisher import WireUnavailable
from runtime.logs import logger
from runtime.mask import mask_text
from storage.core.unavailable import StorageUnavailable

_log = logger(__name__)

_LONGEST: Final = 300
_FRAMES: Final = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that is not the storage's or the broker's own: a row, a message or the code for it is at fault."""

    kind: str
    """The exception's class."""
    message: str
    """Its first line, masked and cut: it may be stored and shown."""

    def __str__(self) -> str:
        """In one line, for logs and evidence."""
        return f"{self.kind}: {self.message}"


def isolated(do: Callable[[], Result], *, let_through: tuple[type[Exception], ...] = ()) -> Result | Fault:
    """Return what `do` returns, or the fault it ended in; the only place that catches any exception.

    Raises:
        Exception: one of `let_through`.
        StorageUnavailable: PostgreSQL is away, which is no row's fault; all of it may be tried again.
        WireUnavailable: the same of the broker.
    """
    try:
        return do()
    except let_through:
        raise
    except (StorageUnavailable, WireUnavailable):
        raise
    except Exception as error:  # noqa: BLE001 - this is the isolation point
        fault = fault_of(error)
        # Where it happened, and no values: they may be what a customer said.
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        at = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        _log.error("a fault was isolated", fault=str(fault), at=at)
        return fault


def in_halves(
    items: Sequence[Item],
    together: Callable[[Sequence[Item]], Sequence[Result]],
    alone: Callable[[Item, Fault], Result],
    *,
    let_through: tuple[type[Exception], ...] = (),
) -> list[Result]:
    """Take items together, and in halves where that fails, down to the culprits; the results in the items' order.

    Args:
        items: The items.
        together: Takes several; after a fault they can be taken again.
        alone: What becomes of one that cannot even be taken alone.
        let_through: Exceptions that are nobody's fault.

    Raises:
        StorageUnavailable: PostgreSQL is away; some of the items may have been taken.
        WireUnavailable: the same of the broker.
    """
    taken = isolated(lambda: together(items), let_through=let_through)
    if not isinstance(taken, Fault):
        return list(taken)
    if len(items) == 1:
        return [alone(items[0], taken)]
    half = len(items) // 2
    return [
        taken
        for some in (items[:half], items[half:])
        for taken in in_halves(some, together, alone, let_through=let_through)
    ]


def fault_of(error: BaseException) -> Fault:
    """What may be stored and shown of an exception."""
    first, *_ = str(error).strip().splitlines() or ("",)
    return Fault(type(error).__name__, mask_text(first)[:_LONGEST])
