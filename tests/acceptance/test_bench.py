"""The bench measures a fleet of its own, as whole as any."""

from bench.fleet import measured_fleet


def test_the_bench_starts_a_whole_fleet_and_leaves_no_process_of_it() -> None:
    with measured_fleet("instant") as fleet:
        parts = {name: part for name, part in fleet.parts().items() if name != "bench"}
        assert {"postgres", "valkey", "worker-contact", "tick"} <= set(parts)
        assert all(part.is_running() for part in parts.values())
    assert not [name for name, part in parts.items() if part.is_running()]
