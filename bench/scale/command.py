"""`unpend bench scale`: measures how the cost of each read grows with the number of orders."""

from typing import Annotated

import typer


def bench_scale(
    *,
    orders: Annotated[
        list[int] | None, typer.Option(min=100, help="Orders; may be given several times, smallest first.")
    ] = None,
    per_day: Annotated[
        int, typer.Option(min=1, help="Orders that came in on a day; it bounds what windows of time hold.")
    ] = 10_000,
) -> None:
    """Fill a database with orders, closed, waiting, parked and in review, and measure each read at each size."""
    from bench.scale.measurement import measure

    measure(orders or [], per_day)
