"""Shows the time limits of each Celery task to whoever inspects a worker: Flower, `celery inspect registered`."""

from collections.abc import Sequence
from typing import Any, Final

from celery.worker.control import Panel, registered

_SHOWN: Final = ("soft_time_limit", "time_limit")


def show_limits() -> None:
    """Let this process answer with the limits of its tasks when it is asked for their names alone, as Flower does."""
    Panel.register(
        _registered,
        name="registered",
        alias="dump_tasks",
        type="inspect",
        variadic="taskinfoitems",
        signature="[attr1 [attr2 [... [attrN]]]]",
    )


def _registered(state: Any, taskinfoitems: Sequence[str] | None = None, **further: Any) -> Any:
    """List the registered tasks, with their time limits unless other attributes are named."""
    return registered(state, taskinfoitems=taskinfoitems or _SHOWN, **further)
