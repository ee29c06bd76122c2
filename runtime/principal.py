"""On whose behalf a process acts: the key of the request that is being answered, for every audit line it leads to."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is answered for: a key, and the name its caller gave beside it.

    The name is a label: it says whom the caller means, and proves nothing (SPEC.md §6).
    """

    key_id: str
    label: str | None = None


_CURRENT: Final[ContextVar[Principal | None]] = ContextVar("principal", default=None)


def marks_of_principal() -> tuple[str | None, str | None]:
    """What an audit line keeps of who it is done for: the key's id and the label; of the fleet's own work neither."""
    current = _CURRENT.get()
    return (None, None) if current is None else (current.key_id, current.label)


def act_for(key_id: str) -> None:
    """From here on, in this request and in what it calls, act on behalf of this key."""
    _CURRENT.set(Principal(key_id))


def label_principal(label: str | None) -> None:
    """Put the name that the caller gave beside their key; nothing where nobody is acted for."""
    current = _CURRENT.get()
    if current is not None:
        _CURRENT.set(replace(current, label=label))
