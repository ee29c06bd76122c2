"""`unpend bench peers`: compares this engine with others that carry workflows, on this machine."""

from typing import Annotated

import typer

from fleet.command.output import AsJson


def bench_peers(
    *,
    workflows: Annotated[int, typer.Option(min=10, help="Workflows of each measurement.")] = 1000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count; one more comes before.")] = 5,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="This peer alone; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure six no-op steps of each engine in turn: workflows a second, CPU a workflow, ratio to ours.

    Each measurement has a fresh database on the same PostgreSQL, the same broker emptied, and two worker processes.
    """
    from bench.peers.comparison import compare

    compare(workflows, rounds, only or [], as_json=as_json)
