"""`unpend bench workflows`: measures general workflows on this machine, beside others where they are installed."""

from enum import StrEnum
from typing import Annotated

import typer

from fleet.command.output import AsJson


class WorkflowPart(StrEnum):
    """What is measured."""

    STEPS = "steps"
    LOOPS = "loops"
    WAITS = "waits"
    OUTSIDE = "outside"


def bench_workflows(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 5,
    only: Annotated[
        list[WorkflowPart] | None, typer.Option("--only", help="This part alone; may be repeated.")
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option("--peer", metavar="NAME", help="This engine alone in `steps`; may be repeated."),
    ] = None,
    runs: Annotated[int, typer.Option(min=10, help="Runs of six steps of each measurement.")] = 1000,
    handovers: Annotated[
        int, typer.Option(min=1, help="Runs, one after another, whose hand-overs are measured.")
    ] = 20,
    elements: Annotated[
        list[int] | None,
        typer.Option("--elements", min=1, max=10_000, help="Elements of a loop; may be repeated."),
    ] = None,
    waits: Annotated[
        int, typer.Option(min=1, help="Timers, and as many message waits, that stand meanwhile.")
    ] = 10_000,
    due: Annotated[
        int, typer.Option(min=0, help="Timers that are due at one moment; 0 leaves them out.")
    ] = 10_000,
    messages: Annotated[
        int, typer.Option(min=0, help="Messages over HTTP, and as many by the engine; 0 leaves them out.")
    ] = 200,
    steps: Annotated[int, typer.Option(min=10, help="Steps that outside agents do in a round.")] = 2000,
    as_json: AsJson = False,
) -> None:
    """Measure no-op steps beside other engines, loops with their join, waits, and outside agents."""
    from bench.workflows.measurement import WorkflowSizes, measure

    measure(
        WorkflowSizes(
            rounds=rounds,
            runs=runs,
            handovers=handovers,
            elements=tuple(elements or (100, 1_000, 10_000)),
            waits=waits,
            due=due,
            messages=messages,
            steps=steps,
        ),
        parts=frozenset(part.value for part in only or WorkflowPart),
        peers=peer or [],
        as_json=as_json,
    )
