"""The limits of the engine; each is a setting of the installation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """See `runtime.settings` for what each means and its default there."""

    lease_seconds: float = 12.0
    outside_lease_seconds: float = 60.0
    largest_batch: int = 300
    low_water: int = 1
    republish_seconds: float = 5.0
    carry_on_seconds: float = 1.0
    most_crashes: int = 3
    most_waiting: int = 100_000
