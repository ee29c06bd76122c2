"""What is to be done once a transaction is committed; the tick does what a crash has left."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCommit:
    """What one transaction leaves to be done."""

    calls_back: bool = False
    """Whether runs have ended, or are to, of which steps of other runs know."""
    entries: tuple[int, ...] = ()
    """Entries of the inbox that it has made."""
    awaited: tuple[tuple[str, str], ...] = ()
    """Names and keys of messages for which it began to wait: one may be kept for them."""

    slots: tuple[str, ...] = ()
    """Names of slots that are asked for, or were given back."""

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.calls_back or bool(self.entries or self.awaited or self.slots)


NOTHING_LEFT: Final = AfterCommit()
