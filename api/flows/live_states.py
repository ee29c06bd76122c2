"""The routes of live state, and how lists read it: in Redis where it is up to date, in PostgreSQL otherwise."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, Self, cast

from fastapi import APIRouter, Query, Request, Response

from api.server.authentication import requires
from api.server.refusal import Refusal
from api.server.route import Route
from api.server.services import kept
from runtime.logs import logger
from runtime.settings import Settings
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Succeeded
from schemas.flows.live_states import LiveOverview, LiveStateView, LiveTask
from statemachine.workflow.states import RUN_ENDS
from storage.core.database import Database
from storage.engine.subjects import SubjectTable
from storage.flows.live_states import LiveState, LiveStates
from storage.flows.task_list import TaskRow
from tasks.flows.live.live_store import LiveStore, LiveStoreUnavailable, LiveSummary

_log = logger(__name__)

router = APIRouter(prefix="/live", tags=["tasks"], route_class=Route)

_REDIS_SECONDS: Final = 1.0
"""How long Redis may take to answer; PostgreSQL stands in for it."""
_PAUSE_SECONDS: Final = 5.0
"""How long lists do not ask it again after it did not."""
_AWAY: Final = LiveOverview(condition="away", rebuilt=None, total=None, open={}, newest=[])


class LiveReader:
    """What the API knows of live state; a Redis that is away is never an error of a list."""

    def __init__(self, store: LiveStore | None) -> None:
        """Take where it is held, if there is a Redis at all."""
        self.store = store
        self._silent_until = -math.inf

    @classmethod
    def over(cls, settings: Settings) -> Self:
        """The live state of this installation; nothing is connected yet."""
        return cls(LiveStore.of_settings(settings, timeout=_REDIS_SECONDS))

    def of(
        self, database: Database, subjects: tuple[SubjectTable, ...], rows: Sequence[TaskRow]
    ) -> Mapping[str, LiveState]:
        """How the open ones of these tasks stand, by run: as they are shown by these rows, or newer.

        Raises:
            StorageUnavailable: PostgreSQL went away.
        """
        is_open = {row.run_id: row for row in rows if row.status not in RUN_ENDS}
        held = self._held(list(is_open))
        found = {run_id: state for run_id, state in held.items() if state.describes(is_open[run_id])}
        others = [run_id for run_id in is_open if run_id not in found]
        if others:
            with database.transaction() as work:
                found |= {state.run_id: state for state in LiveStates(work, subjects).of(others)}
        return found

    def end(self) -> None:
        """Nothing goes on by itself."""

    async def close(self) -> None:
        """Close the connections."""
        if self.store is not None:
            await asyncio.to_thread(self.store.close)

    def _held(self, run_ids: Sequence[str]) -> Mapping[str, LiveState]:
        if self.store is None or not run_ids or time.monotonic() < self._silent_until:
            return {}
        try:
            return self.store.read(run_ids)
        except LiveStoreUnavailable as error:
            self._silent_until = time.monotonic() + _PAUSE_SECONDS
            _log.warning("lists read PostgreSQL: Redis does not answer", error=str(error))
            return {}


GivenLiveReader = Annotated[LiveReader, kept(LiveReader)]


@router.get("", summary="How the open tasks stand, as Redis has it", dependencies=[requires(Scope.READ)])
def live_overview(
    reader: GivenLiveReader,
    newest: Annotated[int, Query(ge=1, le=200, description="Tasks that changed last, at most.")] = 20,
) -> LiveOverview:
    """Counts by state and the newest changes, a few seconds old and cheap; nothing of it comes from PostgreSQL.

    Decide nothing by it: `GET /v1/tasks/{task_id}/status` is exact.
    """
    if reader.store is None:
        return _AWAY
    try:
        return _overview(reader.store.summary(newest))
    except LiveStoreUnavailable:
        return _AWAY


@router.post(
    "/rebuild",
    summary="Write the live state anew",
    status_code=202,
    dependencies=[requires(Scope.ADMIN, repeatable=True)],
)
def rebuild_live_states(reader: GivenLiveReader, request: Request, response: Response) -> Succeeded:
    """From PostgreSQL, by the worker `outbound`, within seconds; `GET /v1/live` shows how far it is."""
    if reader.store is None:
        raise Refusal(Code.SERVICE_UNAVAILABLE, "there is no Redis to hold live state")
    try:
        reader.store.drop()
    except LiveStoreUnavailable as error:
        raise Refusal(
            Code.SERVICE_UNAVAILABLE,
            "Redis does not answer; it is rebuilt by itself when it has lost its data",
        ) from error
    response.headers["Location"] = request.app.url_path_for(live_overview.__name__)
    return Succeeded()


def live_view_of(state: LiveState) -> LiveStateView:
    """The live state as it is answered."""
    return LiveStateView(
        stage=state.stage,
        title=state.title,
        status=cast('Literal["running", "waiting", "ready", "failed"] | None', state.event_status),
        at=state.event_at,
        attempt=state.attempt,
        waiting_for=state.waiting_for,
        next_at=state.next_at,
    )


def _overview(summary: LiveSummary) -> LiveOverview:
    feed = summary.feed
    if feed is None or feed.rebuilding:
        return LiveOverview(
            condition="rebuilding" if summary.known else "absent",
            rebuilt=None if feed is None else feed.done,
            total=None if feed is None else feed.total,
            open={},
            newest=[],
        )
    counts: dict[str, dict[str, int]] = {}
    for name, number in sorted(summary.counts.items()):
        product, _, state = name.partition(":")
        counts.setdefault(product, {})[state] = number
    return LiveOverview(
        condition="current" if summary.fresh else "behind",
        rebuilt=None,
        total=None,
        open=counts,
        newest=[
            LiveTask(
                task_id=state.task_id,
                state=state.state,
                status=cast('Literal["created", "running", "paused"]', state.status.value),
                live=live_view_of(state),
            )
            for state in summary.newest
        ],
    )
