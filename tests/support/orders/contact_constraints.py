"""Houses whose contact policy is bounded as a test wants it, and what they contacted."""

import shutil
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from runtime.phone import normalise
from runtime.settings import PROJECT
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tools.channels.contract import ContactRequest, SendOutcome
from tools.channels.simulated.instant import InstantChannel

CAPS: Final = [
    {"limit": 1, "period_seconds": 60},
    {"limit": 5, "period_seconds": 3600},
    {"limit": 20, "period_seconds": 86400},
]
"""SPEC.md §8."""


def bounded(folder: Path, policy: str = "always_open", **changes: Any) -> Path:
    """The project's configuration in a folder of its own, with this policy changed."""
    config = folder / "config"
    shutil.copytree(PROJECT / "config", config)
    path = config / "policies" / "contact.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["policies"][policy] |= changes
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return config


class Watched(InstantChannel):
    """The instant channel, with the keys of what it was asked to send."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.lock = threading.Lock()

    def send(self, request: ContactRequest) -> SendOutcome:
        """Note the key, and answer."""
        with self.lock:
            self.keys.append(request.key)
        return super().send(request)


def accepted(house: InProcessFleet, phone: str | None, *script: dict[str, object], **metadata: object) -> str:
    """An order of the customer with this number, that nobody has worked on yet."""
    order = submission(*script, metadata={"phone": phone, **metadata})
    house.accept(order)
    return order.body.task_id


def moments_of(house: InProcessFleet, phone: str) -> list[datetime]:
    """When this number was contacted, over all orders, on the business clock."""
    number = normalise(phone)
    assert number is not None
    rows = Probe(house.database).values(
        "SELECT contact_time FROM contact_logs WHERE phone_index = %s AND status <> 'refused' "
        "ORDER BY contact_time",
        house.context.blind_index.mark(number),
    )
    return list(rows)


def contact_step(house: InProcessFleet, task_id: str) -> Mapping[str, Any]:
    """The step in which the order's customer is, or would be, contacted."""
    return [step for step in house.steps(task_id) if step["node"] == "step3_contact"][-1]


def most_within(moments: list[datetime], period: timedelta) -> int:
    """The most contacts in any span of this length, its end not included."""
    return max((sum(begin <= moment < begin + period for moment in moments) for begin in moments), default=0)


def wake(house: InProcessFleet) -> None:
    """Let what waits on the database's clock be due now."""
    Probe(house.database).write(
        "UPDATE steps SET due_at = clock_timestamp() WHERE state = 'scheduled' AND due_clock = 'database'"
    )
