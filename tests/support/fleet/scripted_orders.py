"""Orders whose end is certain: what the simulated customer does, and the one history that leads to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice
from typing import Any

from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, payload, silent

_ANSWERED_AND_DONE = ("user.responded", "triage.complete", "action.execute")
_orders = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A customer's behaviour, attempt by attempt, and the events and the reason it must end in."""

    entries: tuple[dict[str, object], ...]
    events: tuple[str, ...]
    finish_reason: str
    actions: tuple[str, ...]
    contacts: int

    def order(self, *, fault: object = None, pause: float = 0.0, **changes: Any) -> "ScriptedOrder":
        """A new order with this customer; `fault` is the provider's at the first attempt, `pause` its talk."""
        first, *rest = [entry | {"delay_seconds": pause} for entry in self.entries]
        if fault is not None:
            first |= {"fault": fault}
        return ScriptedOrder(self, payload(first, *rest, **_names(), **changes))


@dataclass(frozen=True, slots=True)
class ScriptedOrder:
    """An order as upstream sends it, with what must become of it."""

    script: Script
    payload: dict[str, Any]

    @property
    def task_id(self) -> str:
        """Its task."""
        return str(self.payload["task_id"])

    @property
    def message(self) -> str:
        """The order as the payload of a `task.created` message."""
        return json.dumps(self.payload, ensure_ascii=False)


AGREES = Script(
    entries=(answered(READY),),
    events=("task.start", *_ANSWERED_AND_DONE, "intent=继续"),
    finish_reason="visit_arranged",
    actions=("notify_engineer", "update_appointment"),
    contacts=1,
)
AGREES_AT_THE_SECOND_CALL = Script(
    entries=(silent("busy"), answered(READY)),
    events=("task.start", "user.no_answer", "contact.retry", *_ANSWERED_AND_DONE, "intent=继续"),
    finish_reason="visit_arranged",
    actions=("notify_engineer", "update_appointment"),
    contacts=2,
)
WAITS_FOR_PARTS = Script(
    entries=(answered(PARTS_MISSING), answered(READY)),
    events=(
        "task.start",
        *_ANSWERED_AND_DONE,
        "intent=暂缓",
        "followup.time_reached",
        *_ANSWERED_AND_DONE,
        "intent=继续",
    ),
    finish_reason="visit_arranged",
    actions=("notify_engineer", "schedule_followup", "update_appointment"),
    contacts=2,
)
CANCELS = Script(
    entries=(answered(CANCEL),),
    events=("task.start", *_ANSWERED_AND_DONE, "intent=终止"),
    finish_reason="cancelled_by_customer",
    actions=("cancel_order",),
    contacts=1,
)
NEVER_ANSWERS = Script(
    entries=(silent(),),
    events=("task.start", *("user.no_answer", "contact.retry") * 3, "user.no_answer", "contact.max_reached"),
    finish_reason="contact_failed",
    actions=(),
    contacts=4,
)
EVERY_WAY = (AGREES, AGREES_AT_THE_SECOND_CALL, WAITS_FOR_PARTS, CANCELS, NEVER_ANSWERS)


def orders(
    number: int, *, scripts: Sequence[Script] = EVERY_WAY, fault: object = None, pause: float = 0.0
) -> list[ScriptedOrder]:
    """So many orders, the scripts in turn; the customers of one batch do not all answer at the same time."""
    return [
        script.order(fault=fault, pause=pause * (nth % 7) / 6)
        for nth, script in enumerate(islice(cycle(scripts), number))
    ]


def _names() -> dict[str, str]:
    number = next(_orders)
    return {"task_id": f"HTA{number:07}", "order_id": f"SOA{number:07}"}
