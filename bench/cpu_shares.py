"""CPU seconds by component between two measurements, child processes included."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil


@dataclass(slots=True)
class CpuShares:
    """The CPU seconds of components since this was created."""

    parts: Mapping[str, psutil.Process]
    before: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.before = self._now()

    def spent(self) -> list[tuple[str, float, float]]:
        """Return each component with its seconds and its share of the total, the greatest first."""
        now = self._now()
        spent = {name: now[name] - self.before[name] for name in self.parts}
        total = sum(spent.values()) or 1.0
        return sorted(
            ((name, seconds, seconds / total) for name, seconds in spent.items()), key=lambda part: -part[1]
        )

    def _now(self) -> dict[str, float]:
        return {name: sum(map(_seconds, _family(process))) for name, process in self.parts.items()}


def _family(process: psutil.Process) -> list[psutil.Process]:
    """A part with its children; of this very process only itself, for the whole fleet is its child."""
    if process.pid == os.getpid():
        return [process]
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _seconds(process: psutil.Process) -> float:
    """What a process has used itself; its children are counted as themselves."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
