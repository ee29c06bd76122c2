"""Hand-overs between no-op steps, and loops over many elements with the join after them, on the no-op product."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import psutil

from bench.latency import percentile
from bench.peers.engines.noop_runs import QUEUE, NoopFleet, noop_fleet
from bench.peers.peer import STEPS, Ground, carrying
from bench.peers.servers import PeerServers
from bench.workflows.figures import CpuUse, Figure, WorkflowFigures
from engine.begin import Begin
from runtime.ids import Prefix, new_id

_LOOP: Final = "elements"
_RUNS: Final = "SELECT count(*) FROM runs WHERE state = 'completed'"
_DEFINITION: Final[Mapping[str, Any]] = {
    "workflow": _LOOP,
    "version": "1",
    "steps": [
        {"id": "before", "agent": QUEUE, "action": "rest", "next": "each"},
        {
            "id": "each",
            "agent": QUEUE,
            "action": "rest",
            "for_each": {"in": "${parameters.elements}"},
            "next": "after",
        },
        {"id": "after", "agent": QUEUE, "action": "rest"},
    ],
}
_HANDOVERS: Final = """
    SELECT extract(epoch FROM b.started_at - a.finished_at)::float FROM steps a
    JOIN steps b ON b.caused_by = a.step_id
    WHERE b.run_id IN (SELECT run_id FROM runs WHERE workflow = 'noops') AND b.step_id > %s
"""
_SECONDS: Final = "SELECT extract(epoch FROM finished_at - created_at)::float FROM runs WHERE run_id = %s"
_AIMS: Final = {1_000: "≤ 1 s"}


def measure_loops(servers: PeerServers, sizes: Sequence[int], rounds: int, handovers: int) -> WorkflowFigures:
    """Measure hand-overs of so many runs at light load, then loops over each number of elements, round by round."""
    with servers.ground("loops") as ground, noop_fleet(ground, _DEFINITION) as fleet:
        parts = {**fleet.parts, **servers.parts, "bench": psutil.Process()}
        made = WorkflowFigures()
        if handovers:
            made.figures.append(_handovers(ground, fleet, rounds, handovers))
        _loop(ground, fleet, 10)
        seconds: dict[int, list[float]] = {size: [] for size in sizes}
        cpu = {size: CpuUse(f"fan-out and join of {size:,}", "element") for size in sizes}
        for number in range(rounds):
            for size in sizes if number % 2 == 0 else reversed(sizes):
                with cpu[size].during(parts, size):
                    seconds[size].append(_loop(ground, fleet, size))
    for size, took in seconds.items():
        title = f"fan-out and join of {size:,}"
        made.figures += [
            Figure(name=title, unit="s", values=took, aim=_AIMS.get(size, "")),
            Figure(
                name=f"{title}: an element",
                unit="µs",
                values=[each / size * 1e6 for each in took],
                aim="flat ± 20 %",
            ),
        ]
    made.cpu += cpu.values()
    return made


def _handovers(ground: Ground, fleet: NoopFleet, rounds: int, runs: int) -> Figure:
    """The median of the hand-overs of each round, in runs that are begun one after another."""
    carry = carrying(ground, fleet.begin, lambda: ground.count(_RUNS))
    for _ in range(3):
        carry(1)
    medians = []
    for _ in range(rounds):
        mark = ground.count("SELECT coalesce(max(step_id), 0) FROM steps")
        for _ in range(runs):
            carry(1)
        with fleet.process.database.transaction() as work:
            found = sorted(work.connection.exec_driver_sql(_HANDOVERS, (mark,)).scalars())
        medians.append(percentile(found, 0.5) * 1000)
    return Figure(name=f"hand-over of {STEPS} no-op steps, P50", unit="ms", values=medians, aim="≤ 10 ms")


def _loop(ground: Ground, fleet: NoopFleet, elements: int) -> float:
    """Seconds from a run's begin to its end, by the database's clock."""
    run_id = new_id(Prefix.RUN)

    def begin(_: int) -> None:
        with fleet.process.engine.transaction() as transaction:
            workflow = transaction.catalogue.current(transaction.work, _LOOP)
            variables = {"elements": list(range(elements))}
            transaction.begin([Begin(run_id=run_id, workflow=workflow, variables=variables)])

    carrying(ground, begin, lambda: ground.count(_RUNS))(1)
    with fleet.process.database.transaction() as work:
        return float(work.connection.exec_driver_sql(_SECONDS, (run_id,)).scalar_one())
