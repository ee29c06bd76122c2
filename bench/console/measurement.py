"""Measures the console: pages over a full database, changes on the stream, the memory of many who listen."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.console.person import Person
from bench.fleet import MeasuredFleet, measured_fleet
from bench.latency import percentile
from bench.scale.filling import Filling, Share
from bench.scale.patterns import carry
from console.server.live import PAUSE_SECONDS
from console.server.navigation import MENU
from storage.people.answers import Respondent
from tasks.orders.upkeep.counting import count
from tasks.people.claims import take_next

_console = Console(highlight=False, width=120)
_PER_DAY: Final = 10_000
_LONGEST_COUNT: Final = 7200.0
_IN_REVIEW: Final = 10
"""Hundredths of the orders; as many fewer are closed than the patterns say."""
_MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PageTimes:
    """Milliseconds of a page: the first time, and of those after it."""

    name: str
    first: float
    median: float
    ninety_five: float
    longest: float


def measure(orders: int, *, requests: int, changes: int, sessions: int) -> None:
    """Fill a database, measure, and print the figures."""
    with measured_fleet("http") as fleet:
        shares = _shares(carry(fleet))
        with fleet.agents_paused(), fleet.owner_database() as database:
            began = time.perf_counter()
            filling = Filling(database, shares, per_day=_PER_DAY)
            filling.up_to(orders)
            count(database, seconds=_LONGEST_COUNT)
            filling.tidy()
        _console.print(
            f"{orders:,} orders, {orders * _IN_REVIEW // 100:,} in review, after {time.perf_counter() - began:.0f} s; "
            f"each page {requests} times by one person, the fleet idle."
        )
        with Person(fleet, "measured") as person:
            _print([_times(person, name, path, requests) for name, path in _pages(shares)])
            told = _told(fleet, person, changes)
        _console.print(
            f"commit → told on the stream, {changes} times: P50 {percentile(told, 0.5) * 1000:.0f} ms, P95 "
            f"{percentile(told, 0.95) * 1000:.0f} ms, longest {told[-1] * 1000:.0f} ms; it looks each "
            f"{PAUSE_SECONDS * 1000:.0f} ms"
        )
        alone, listened = _memory(fleet, sessions)
        _console.print(
            f"memory of the process (PSS): {alone:.0f} MiB, with {sessions} who listen {listened:.0f} MiB"
        )


def _shares(carried: Sequence[Share]) -> list[Share]:
    """The patterns with more of the last kind, those in review."""
    closed, *others, asked = carried
    more = _IN_REVIEW - asked.hundredths
    return [
        Share(closed.hundredths - more, closed.task_ids),
        *others,
        Share(_IN_REVIEW, asked.task_ids),
    ]


def _pages(shares: Sequence[Share]) -> list[tuple[str, str]]:
    pages = [(entry.name, entry.path) for entry in MENU]
    return [
        *pages,
        ("one order", f"/orders/{shares[0].task_ids[0]}"),
        ("reviews of one reason", "/reviews?reason=needs_confirmation"),
    ]


def _times(person: Person, name: str, path: str, requests: int) -> PageTimes:
    first = person.seconds_of(path)
    further = sorted(person.seconds_of(path) for _ in range(requests - 1))
    return PageTimes(
        name,
        first * 1000,
        percentile(further, 0.5) * 1000,
        percentile(further, 0.95) * 1000,
        further[-1] * 1000,
    )


def _told(fleet: MeasuredFleet, person: Person, changes: int) -> list[float]:
    """Seconds from a commit to the frame that tells of it, in order of length."""
    by = Respondent(name=person.login, roles=frozenset({"admin"}), has_login=True)
    seconds = []
    with person.listening() as pulses:
        known = next(pulses)["revisions"]["reviews"]
        for _ in range(changes):
            assert take_next(fleet.process.database, by=by) is not None, "reviews wait"
            committed = time.perf_counter()
            while (revision := next(pulses)["revisions"]["reviews"]) == known:
                pass
            seconds.append(time.perf_counter() - committed)
            known = revision
    return sorted(seconds)


def _memory(fleet: MeasuredFleet, sessions: int) -> tuple[float, float]:
    """MiB of the console before and while so many listen, each after a page."""
    process = fleet.parts()["console"]
    alone = process.memory_full_info().pss / _MEBIBYTE
    with ExitStack() as stack:
        for number in range(sessions):
            person = stack.enter_context(Person(fleet, f"listener{number}"))
            person.seconds_of("/reviews")
            next(stack.enter_context(person.listening()))
        return alone, process.memory_full_info().pss / _MEBIBYTE


def _print(pages: Sequence[PageTimes]) -> None:
    table = Table()
    table.add_column("page", no_wrap=True)
    for heading in ("first ms", "P50", "P95", "longest"):
        table.add_column(heading, justify="right")
    for page in pages:
        figures = (page.first, page.median, page.ninety_five, page.longest)
        table.add_row(page.name, *(f"{figure:.0f}" for figure in figures))
    _console.print(table)
