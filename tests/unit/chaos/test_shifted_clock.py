"""A process whose clock is off makes moments like any other process."""

import subprocess
import sys

from runtime.settings import PROJECT

PROGRAM = """
import datetime as dt
real = dt.datetime
from bench.chaos.faults.shifted_clock import shift
shift(-7)
import orjson
made = [
    dt.datetime.now(dt.UTC),
    dt.datetime(2026, 3, 13, tzinfo=dt.UTC),
    dt.datetime.fromisoformat("2026-03-13T09:00:00Z"),
    dt.datetime.combine(dt.date(2026, 3, 13), dt.time()),
    dt.datetime.strptime("2026", "%Y"),
]
assert all(type(one) is real for one in made), made
assert isinstance(made[0], dt.datetime)
orjson.dumps(made)
assert 25_000 < (real.now(dt.UTC) - made[0]).total_seconds() < 28_800
"""


def test_every_moment_that_it_makes_can_be_stored() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
