"""Measures what is asked for, on one PostgreSQL and one broker, and prints it."""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass

import typer
from rich.console import Console

from bench.fleet import measured_fleet
from bench.peers.comparison import PeerComparison, chosen_peers, compared
from bench.peers.engines.whole_orders import WHOLE_ORDERS
from bench.peers.servers import PeerServers, peer_servers
from bench.workflows.figures import WorkflowFigures
from bench.workflows.loops import measure_loops
from bench.workflows.many_waits import know_definitions
from bench.workflows.outside_agents import measure_outside
from bench.workflows.waits import measure_waits


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSizes:
    """How much of each is measured."""

    rounds: int
    runs: int
    handovers: int
    elements: Sequence[int]
    waits: int
    due: int
    messages: int
    steps: int


def measure(sizes: WorkflowSizes, *, parts: AbstractSet[str], peers: Sequence[str], as_json: bool) -> None:
    """Measure these parts, and print what came of it.

    Raises:
        CommandError: a name is no engine's.
    """
    console = Console(highlight=False, markup=False, stderr=as_json)
    present, skipped = chosen_peers(peers)
    # Whole orders are no like for like; `unpend bench peers` has them.
    present = [one for one in present if peers or one is not WHOLE_ORDERS]
    made, comparison = WorkflowFigures(), None
    with peer_servers() as servers:
        if "steps" in parts:
            comparison = compared(console, servers, sizes.runs, sizes.rounds, present, skipped)
        if parts & {"steps", "loops"}:
            loops = sizes.elements if "loops" in parts else ()
            handovers = sizes.handovers if "steps" in parts else 0
            made.add(measure_loops(servers, loops, sizes.rounds, handovers))
        if parts & {"waits", "outside"}:
            made.add(_of_a_fleet(servers, sizes, parts))
    _print(console, sizes, made, comparison, as_json=as_json)


def _of_a_fleet(servers: PeerServers, sizes: WorkflowSizes, parts: AbstractSet[str]) -> WorkflowFigures:
    """What needs a whole fleet with its API; the servers are counted as parts of it."""
    made = WorkflowFigures()
    with servers.ground("fleet") as ground:
        outside = {"UNPEND_DATABASE_URL": ground.sqlalchemy_url, "UNPEND_BROKER_URL": ground.broker_url}
        with measured_fleet("instant", outside) as fleet:
            know_definitions(fleet.process.engine, fleet.process.agents)
            processes = {**fleet.parts(), **servers.parts}
            if "outside" in parts:
                made.add(measure_outside(fleet, processes, sizes.steps, sizes.rounds))
            if "waits" in parts:
                made.add(
                    measure_waits(
                        fleet,
                        processes,
                        waiting=sizes.waits,
                        due=sizes.due,
                        messages=sizes.messages,
                        rounds=sizes.rounds,
                    )
                )
    return made


def _print(
    console: Console,
    sizes: WorkflowSizes,
    made: WorkflowFigures,
    comparison: PeerComparison | None,
    *,
    as_json: bool,
) -> None:
    if as_json:
        document = {"sizes": asdict(sizes), **made.document}
        if comparison is not None:
            document["peers"] = comparison.document
        typer.echo(json.dumps(document, indent=2))
        return
    if comparison is not None:
        comparison.print_to(console)
    made.print_to(console)
