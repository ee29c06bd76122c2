"""Compares this engine with others that carry workflows: measures them in turn, and prints the figures."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Final

import typer
from rich.console import Console
from rich.table import Table

from bench.peers.engines.absurd_tasks import ABSURD_TASKS
from bench.peers.engines.celery_chain import CELERY_CHAIN
from bench.peers.engines.dbos_workflows import DBOS_WORKFLOWS
from bench.peers.engines.noop_runs import NOOP_RUNS
from bench.peers.engines.procrastinate_jobs import PROCRASTINATE_JOBS
from bench.peers.engines.whole_orders import WHOLE_ORDERS
from bench.peers.peer import STEPS, WORKERS, Peer
from bench.peers.rounds import PeerFigures, PeerRun, Spread, figures_of, in_turn, measured
from bench.peers.servers import PeerServers, peer_servers
from fleet.command.failure import CommandError

PEERS: Final[tuple[Peer, ...]] = (
    NOOP_RUNS,
    WHOLE_ORDERS,
    ABSURD_TASKS,
    CELERY_CHAIN,
    PROCRASTINATE_JOBS,
    DBOS_WORKFLOWS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerComparison:
    """What a comparison came to."""

    workflows: int
    rounds: int
    skipped: Mapping[str, str]
    """Peers that were not measured, each with the reason."""
    runs: Sequence[PeerRun]

    @property
    def figures(self) -> Mapping[str, PeerFigures]:
        """By peer."""
        return figures_of(self.runs)

    @property
    def document(self) -> dict[str, object]:
        """As it is printed with `--json`."""
        return {
            "workflows": self.workflows,
            "rounds": self.rounds,
            "skipped": self.skipped,
            "figures": {name: asdict(one) for name, one in self.figures.items()},
            "runs": [asdict(one) for one in self.runs],
        }

    def print_to(self, console: Console) -> None:
        """Print the figures for people."""
        if self.runs:
            console.print(_table(self.figures), soft_wrap=True)
            _print_ours(console, self.figures)


def compare(workflows: int, rounds: int, only: Sequence[str], *, as_json: bool) -> None:
    """Measure these peers in turn, and print what came of it.

    Raises:
        CommandError: a name is no peer's.
    """
    console = Console(highlight=False, markup=False, stderr=as_json)
    present, skipped = chosen_peers(only)
    with peer_servers() if present else nullcontext() as servers:
        made = compared(console, servers, workflows, rounds, present, skipped)
    if as_json:
        typer.echo(json.dumps(made.document, indent=2))
    else:
        made.print_to(console)


def compared(
    console: Console,
    servers: PeerServers | None,
    workflows: int,
    rounds: int,
    present: Sequence[Peer],
    skipped: Mapping[str, str],
) -> PeerComparison:
    """Measure these peers in turn, where there are any, and tell how it goes."""
    console.print(
        f"{workflows} workflows of {STEPS} steps a measurement, {WORKERS} worker processes, "
        f"{rounds} rounds in turn and one before that does not count",
        soft_wrap=True,
    )
    for name, reason in skipped.items():
        console.print(f"skipped: {name}: {reason}", soft_wrap=True)
    made: list[PeerRun] = []
    if servers is not None:
        for number, peer in in_turn(present, rounds):
            made.append(measured(servers, peer, number, workflows))
            _print_progress(console, made[-1])
    return PeerComparison(workflows=workflows, rounds=rounds, skipped=skipped, runs=made)


def chosen_peers(only: Sequence[str]) -> tuple[list[Peer], dict[str, str]]:
    """The peers to measure, all where none is named, and why others are skipped.

    Raises:
        CommandError: a name is no peer's.
    """
    names = [peer.name for peer in PEERS]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise CommandError(f"there is no {', '.join(unknown)}; there are {', '.join(names)}", 2)
    chosen = [peer for peer in PEERS if not only or peer.name in only]
    missing = {peer.name: peer.missing for peer in chosen}
    skipped = {name: reason for name, reason in missing.items() if reason is not None}
    return [peer for peer in chosen if peer.name not in skipped], skipped


def _print_progress(console: Console, one: PeerRun) -> None:
    title = f"round {one.round}" if one.round else "warm-up"
    console.print(
        f"  {title}: {one.peer}: {one.rate:.1f} workflows/s, {one.cpu_milliseconds:.2f} ms of CPU each"
    )


def _table(figures: Mapping[str, PeerFigures]) -> Table:
    table = Table()
    for heading in ("peer", "workflows/s", "CPU ms each", f"ratio to {NOOP_RUNS.name}"):
        table.add_column(heading, justify="left" if heading == "peer" else "right", no_wrap=True)
    for name, one in figures.items():
        ratio = _spread(one.ratios[NOOP_RUNS.name]) if NOOP_RUNS.name in one.ratios else "–"
        table.add_row(name, _spread(one.rate, 1), _spread(one.cpu_milliseconds, 1), ratio)
    return table


def _print_ours(console: Console, figures: Mapping[str, PeerFigures]) -> None:
    """Ours against the best of the durable peers."""
    peers = [one.name for one in PEERS if one.is_durable_peer and one.name in figures]
    if not peers:
        return
    best = max(peers, key=lambda name: figures[name].rate.median)
    for ours in (NOOP_RUNS.name, WHOLE_ORDERS.name):
        if ours in figures:
            console.print(f"{ours}: {_spread(figures[ours].ratios[best])} × {best}, the best durable peer")


def _spread(spread: Spread, digits: int = 2) -> str:
    return f"{spread.median:.{digits}f} ({spread.low:.{digits}f}–{spread.high:.{digits}f})"
