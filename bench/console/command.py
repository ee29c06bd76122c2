"""`unpend bench console`: how long pages take over a full database, how soon a change is told, what listening costs."""

from typing import Annotated

import typer


def bench_console(
    *,
    orders: Annotated[
        int, typer.Option(min=100, help="Orders there are; a tenth of them in review.")
    ] = 100_000,
    requests: Annotated[int, typer.Option(min=2, help="How often each page is asked for.")] = 40,
    changes: Annotated[int, typer.Option(min=1, help="Changes that are waited for on the stream.")] = 20,
    sessions: Annotated[int, typer.Option(min=1, max=190, help="Browsers that listen.")] = 50,
) -> None:
    """Fill a database with orders, then ask the console for its pages, its stream and its memory."""
    from bench.console.measurement import measure

    measure(orders, requests=requests, changes=changes, sessions=sessions)
