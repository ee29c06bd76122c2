"""The bench measures a fleet of its own, as whole as any."""

import re

from bench.fleet import measured_fleet
from bench.lateness import followups


def test_the_bench_starts_a_whole_fleet_and_leaves_no_process_of_it() -> None:
    with measured_fleet("instant") as fleet:
        parts = {name: part for name, part in fleet.parts().items() if name != "bench"}
        assert {"postgres", "valkey", "worker-contact", "tick"} <= set(parts)
        assert all(part.is_running() for part in parts.values())
    assert not [name for name, part in parts.items() if part.is_running()]


def test_follow_ups_that_are_due_at_one_moment_are_all_woken_and_their_lateness_is_printed() -> None:
    with measured_fleet("instant") as fleet:
        found = followups(fleet, 120)
    assert len(found.woken) == len(found.begun) == 120
    assert all(0 <= woken < begun for woken, begun in zip(found.woken, found.begun, strict=True))
    total, *stages = found.lines
    assert re.fullmatch(
        r"120 follow-ups due at one moment: [\d,]+ woken a second, \d+ messages at the broker at most", total
    )
    quantiles = r"P50 \d+\.\d\d s, P95 \d+\.\d\d s, P99 \d+\.\d\d s"
    for stage, line in zip(("woken", "begun"), stages, strict=True):
        assert re.fullmatch(f"  lateness {stage}: {quantiles}", line)
