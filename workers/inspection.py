"""What workers are asked over the broker, by Flower, the health probe, `celery inspect`, and what they answer."""

from collections.abc import Sequence
from typing import Any, Final

from celery import Celery
from celery.worker.control import Panel, registered

_SHOWN: Final = ("soft_time_limit", "time_limit")
_ANSWERED: Final = frozenset(
    {
        "active",
        "active_queues",
        "conf",
        "heartbeat",
        "ping",
        "registered",
        "reserved",
        "revoked",
        "scheduled",
        "stats",
    }
)
"""The questions of Flower and of the health probe."""


def watch_alone(app: Celery) -> None:
    """Let this app ask workers and listen to events with what Flower's user of the broker may do."""
    # Queues that expire are kept by scripts, which that user may not run.
    app.conf.event_queue_expires = app.conf.control_queue_expires = None
    # What workers have not acknowledged is theirs to find.
    app.conf.broker_transport_options = app.conf.broker_transport_options | {"ack_emulation": False}


def answer_questions_alone() -> None:
    """Let this process obey no command that comes over the broker, to stop, to revoke, to leave a queue.

    Whoever may ask may also command: both go over one channel, which Flower's user of the broker has to write to.
    """
    for name in Panel.data.keys() - _ANSWERED:
        del Panel.data[name]


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
