"""Runs an open load of `tasks/start` and `status` on the API while its fleet works."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from bench.api_load import LoadPlan, LoadReport
from bench.arrivals import arrivals
from bench.cpu_shares import CpuShares
from bench.fleet import MeasuredFleet
from bench.orders import payloads
from bench.stream_feed import StreamFeed
from bench.throughput import wait_for_rest
from storage.orders.lists.order_list import ListedOrders, OrderFilter
from storage.orders.orders import Orders


class LoadFailed(Exception):
    """The load process ended without a report; its messages are on standard error."""


@dataclass(frozen=True, slots=True)
class LoadRun:
    """One run of the open load."""

    report: LoadReport
    workflows: float
    """Workflows the fleet closed a second meanwhile."""
    shares: Sequence[tuple[str, float, float]]
    """CPU by part meanwhile, as `CpuShares.spent`; the load's own process is in the report."""

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return len(self.report.start_seconds) + len(self.report.status_seconds)

    @property
    def api_seconds(self) -> float:
        """CPU seconds of the API."""
        return next(seconds for name, seconds, _ in self.shares if name == "api")


def open_load(
    fleet: MeasuredFleet, *, rate: float, seconds: float, workflows: float, seed: int, known: Sequence[str]
) -> LoadRun:
    """Load the API at `rate` requests a second while `workflows` orders a second come through the stream.

    Raises:
        LoadFailed: the load's process failed.
    """
    moments = list(arrivals(rate, seconds, seed=seed))
    # Manual: what is started over HTTP is the door's work alone, and the fleet's load is what the stream brings.
    orders = [{**order, "mode": "manual"} for order in payloads(len(moments) // 2)]
    plan = LoadPlan(
        port=fleet.port,
        key=SecretStr(fleet.key),
        moments=moments,
        orders=[json.dumps(order, ensure_ascii=False) for order in orders],
        task_ids=[order["task_id"] for order in orders],
        known=list(known),
    )
    document = plan.model_dump(mode="json") | {"key": fleet.key}
    with StreamFeed(fleet.process.settings.broker_url.get_secret_value(), workflows):
        shares, closed, began = CpuShares(fleet.parts()), _closed(fleet), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "bench.api_load"],
            input=json.dumps(document).encode(),
            stdout=subprocess.PIPE,
            check=False,
        )
        spent, took = shares.spent(), time.perf_counter() - began
        finished = _closed(fleet) - closed
    if done.returncode != 0:
        raise LoadFailed("the load's process ended without a report; see what it said above")
    wait_for_rest(fleet)
    return LoadRun(LoadReport.model_validate_json(done.stdout), finished / took, spent)


def known_orders(fleet: MeasuredFleet, count: int) -> list[str]:
    """The ids of the newest orders of the fleet."""
    with fleet.process.database.transaction() as work:
        orders = ListedOrders(work).page(OrderFilter(), after=None, limit=count)
    return [order.task_id for order in orders]


def _closed(fleet: MeasuredFleet) -> int:
    with fleet.process.database.transaction() as work:
        return Orders(work).counts().get("closed", 0)
