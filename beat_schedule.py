"""The beat schedule, as data. Beat only triggers the tick; what is due is found in PostgreSQL.

Any number of beats may run: an advisory lock lets one tick work at a time, and the tick drops the calls that
pile up. Expiry is measured by the clocks of two machines, so it lies far beyond what those may differ by.
"""

from collections.abc import Mapping
from typing import Final

TICK_SECONDS: Final = 1.0
"""How often the tick is called; each call watches for about as long (see `workers.tick`)."""

RETENTION_SECONDS: Final = 60.0
"""How often it is asked whether something has been kept long enough."""

SEALING_SECONDS: Final = 60.0
"""How often what was written to the audit trail since is sealed."""

COUNTING_SECONDS: Final = 5.0
"""How often what happened is counted for the exporter; what came since it counts itself when it is read."""

FEEDING_SECONDS: Final = 1.0
"""How often it is asked whether something is to be sent to other systems and to staff."""

BEAT_SCHEDULE: Final[Mapping[str, Mapping[str, object]]] = {
    "wake-rescue-dispatch": {
        "task": "tick.sweep",
        "schedule": TICK_SECONDS,
        "options": {"queue": "tick", "expires": 86_400.0},
    },
    # What has waited while no worker ran is one question each (see `workers.feeding`).
    "feed-what-leaves": {
        "task": "outbound.feed",
        "schedule": FEEDING_SECONDS,
        "options": {"queue": "outbound", "expires": 86_400.0},
    },
    # A round a day; a call looks whether it is due, goes on with it for a moment, and leaves the rest to the next.
    "remove-what-was-kept-long-enough": {
        "task": "upkeep.retain",
        "schedule": RETENTION_SECONDS,
        "options": {"queue": "upkeep", "expires": 86_400.0},
    },
    "seal-the-audit-trail": {
        "task": "upkeep.seal",
        "schedule": SEALING_SECONDS,
        "options": {"queue": "upkeep", "expires": 86_400.0},
    },
    # One call is as good as many: what waited is over after seconds.
    "count-what-happened": {
        "task": "upkeep.count",
        "schedule": COUNTING_SECONDS,
        "options": {"queue": "upkeep", "expires": 60.0},
    },
}
