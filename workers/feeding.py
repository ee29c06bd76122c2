"""The feeding task of the worker `outbound`: called by beat, it feeds subscribers and the live state of tasks."""

import math
import time
from typing import Final

from celery import Celery

from beat_schedule import FEEDING_SECONDS
from runtime.logs import logger
from runtime.redis_address import NO_REDIS
from storage.core.unavailable import StorageUnavailable
from tasks.flows.live.live_follower import LiveFollower
from tasks.flows.live.live_store import LiveStoreUnavailable
from tasks.outbound.feeding import Feeder
from workers.app import HARD_LIMIT_MARGIN, REQUEST
from workers.process import CurrentProcess

_log = logger(__name__)

QUEUE: Final = "outbound"
"""The agent on whose queue this task travels."""

_LIMIT_SECONDS: Final = 60
"""What one call may take when PostgreSQL is slow or away for a moment."""

_FOLLOWING_SECONDS: Final = FEEDING_SECONDS / 2
"""What one call may spend on live state: deliveries wait meanwhile."""
_REST: Final = 20
"""For each second spent on live state, so many are spent otherwise: orders need the machine."""
_LONGEST_REST: Final = 3.0
"""However long it took: live state is to be read (see `tasks.flows.live.live_store.FRESH_SECONDS`)."""

_PILED_UP_SECONDS: Final = FEEDING_SECONDS / 2
"""A call that begins so soon after another has waited while no worker ran, and is as good as done."""


def register(app: Celery, current: CurrentProcess) -> None:
    """Bind the feeding task.

    Raises:
        PolicyFileError: `config/notices.yaml` cannot be used.
        NoticeSecretMissing: it names a secret that is not set.
    """
    # Configuration that cannot be used stops the worker here, with its message.
    _ = current().outbound.notices.routes
    if current().settings.redis is None:
        _log.warning("there is no live state; lists read PostgreSQL", reason=NO_REDIS)
    began = rested_at = -math.inf

    def feed() -> None:
        nonlocal began, rested_at
        now = time.monotonic()
        if now - began >= _PILED_UP_SECONDS:
            began = now
            feed_for(current().feeder, FEEDING_SECONDS)
            if now >= rested_at:
                spent = follow_for(current().live_follower, _FOLLOWING_SECONDS)
                rested_at = now + min(spent * _REST, _LONGEST_REST)

    app.task(
        feed,
        name="outbound.feed",
        soft_time_limit=_LIMIT_SECONDS,
        time_limit=_LIMIT_SECONDS + HARD_LIMIT_MARGIN,
        Request=REQUEST,
    )


def feed_for(feeder: Feeder, seconds: float) -> None:
    """Feed again and again while there is more, for so long at most."""
    until = time.monotonic() + seconds
    try:
        while feeder.round() and time.monotonic() < until:
            continue
    except StorageUnavailable as error:
        _log.warning("PostgreSQL away; the next call feeds", error=str(error))


def follow_for(follower: LiveFollower | None, seconds: float) -> float:
    """Bring the live state up to date, for so long at most; the seconds that were spent."""
    began = time.monotonic()
    try:
        while follower is not None and follower.round() and time.monotonic() < began + seconds:
            continue
    except (StorageUnavailable, LiveStoreUnavailable) as error:
        _log.warning("live state is not followed; the next call goes on", error=str(error))
    return time.monotonic() - began
