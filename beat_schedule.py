"""What happens on a clock, as data. Beat only says that time has passed; what is due is found in PostgreSQL.

Any number of beats may run: an advisory lock lets one tick work at a time, and a message that was not
taken in time expires.
"""

from collections.abc import Mapping
from typing import Final

TICK_SECONDS: Final = 1.0
"""How often the tick is called; each call watches for about as long (see `workers.tick`)."""

BEAT_SCHEDULE: Final[Mapping[str, Mapping[str, object]]] = {
    "wake-rescue-dispatch": {
        "task": "tick.sweep",
        "schedule": TICK_SECONDS,
        "options": {"queue": "tick", "expires": 3 * TICK_SECONDS},
    },
}
