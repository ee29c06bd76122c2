"""The events people watch: as they happen, or page by page (SPEC.md §6, §10)."""

from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.outbound.streams.broadcast import Broadcast
from api.outbound.streams.event_stream import MEDIA_TYPE, EventStream, frame_of
from api.outbound.streams.event_view import place, placed, shown
from api.server.admission import Admission
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenServices, Services, kept
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.core.language import Language, language_of
from schemas.outbound.events import EventPage
from storage.outbound.feed import ORIGIN, Cursor, Feed, FeedEvent

router = APIRouter(tags=["events"], route_class=Route)

_STREAM_EXAMPLE: Final = (
    "retry: 2000\nid: 90209-0\n\nid: 90210-4711\nevent: intent_classified\n"
    'data: {"event_id":4711,"event_type":"intent_classified","task_id":"HT20260313001", …}\n\n'
)
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The events as they happen; one page of them for `application/json` or `format=json`.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _STREAM_EXAMPLE}},
    },
}
_ENDED: Final[dict[int | str, dict[str, Any]]] = {
    204: {"description": "The task has ended and everything was sent before: there is nothing to wait for."}
}

GivenBroadcast = Annotated[Broadcast, kept(Broadcast)]
TaskId = Annotated[Identifier, Path(description="The order's task_id.", examples=["HT20260313001"])]
After = Annotated[str | None, Query(max_length=64, description="Go on after this id, as it was received.")]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=64, description="The same, as browsers send it; it wins."),
]
Format = Annotated[Literal["json", "stream"] | None, Query(description="Instead of the `Accept` header.")]
Accept = Annotated[str, Header(max_length=1000, include_in_schema=False)]
AcceptLanguage = Annotated[
    str | None, Header(max_length=200, description="`zh` (so without it) or `en`: titles.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="Events a page may have.")]


@router.get(
    "/events",
    summary="Everything that happens",
    dependencies=[requires(Scope.READ)],
    response_model=EventPage,
    responses=_ANSWERS,
)
def follow_everything(
    request: Request,
    services: GivenServices,
    broadcast: GivenBroadcast,
    after: After = None,
    last_event_id: LastEventId = None,
    format: Format = None,  # noqa: A002 - the name of the parameter
    accept: Accept = "",
    limit: Limit = 100,
    accept_language: AcceptLanguage = None,
) -> EventPage | Response:
    """Server-sent events of all tasks, from now on; with an id, everything since that event comes first.

    Every event carries its `id`. After a disconnect send the last one back as `Last-Event-ID` (browsers do)
    or `after`, and nothing is missed or repeated. Ignore types you do not know.
    """
    with services.parts.database.transaction() as work:
        given = _given(Feed(work), after, last_event_id)
        start = given or Feed(work).now()
        if _wants_page(format, accept):
            return _page(Feed(work), None, start, limit, language_of(accept_language))
    return _stream(services, broadcast, request, None, start, language_of(accept_language))


@router.get(
    "/tasks/{task_id}/events",
    summary="What happens to a task",
    dependencies=[requires(Scope.READ)],
    response_model=EventPage,
    responses=_ANSWERS | _ENDED | documented(Code.NOT_FOUND),
)
def follow_task(
    task_id: TaskId,
    request: Request,
    services: GivenServices,
    broadcast: GivenBroadcast,
    after: After = None,
    last_event_id: LastEventId = None,
    format: Format = None,  # noqa: A002 - the name of the parameter
    accept: Accept = "",
    limit: Limit = 100,
    accept_language: AcceptLanguage = None,
) -> EventPage | Response:
    """Server-sent events of one task from its beginning; with an id, from that event on.

    The stream ends when the task has ended and everything was sent; one who resumes after that is answered
    204, upon which browsers stop asking.
    """
    with services.parts.database.transaction() as work:
        run_id = Feed(work).run_of(task_id)
        if run_id is None:
            raise unknown("task", task_id)
        given = _given(Feed(work), after, last_event_id)
        if _wants_page(format, accept):
            return _page(Feed(work), run_id, given or ORIGIN, limit, language_of(accept_language))
        if given is not None and _all_told(Feed(work), run_id, given):
            return Response(status_code=204)
    return _stream(services, broadcast, request, run_id, given or ORIGIN, language_of(accept_language))


def _given(feed: Feed, after: str | None, last_event_id: str | None) -> Cursor | None:
    if last_event_id:
        return place(feed, last_event_id, "Last-Event-ID")
    return place(feed, after, "after") if after else None


def _wants_page(wanted: str | None, accept: str) -> bool:
    if wanted is not None:
        return wanted == "json"
    return "application/json" in accept and MEDIA_TYPE not in accept


def _page(feed: Feed, run_id: str | None, after: Cursor, limit: int, language: Language) -> EventPage:
    page = feed.page(after, run_id=run_id, limit=limit)
    return EventPage(events=[placed(event, language) for event in page.events], next=str(page.next))


def _all_told(feed: Feed, run_id: str, after: Cursor) -> bool:
    ended = feed.ended([run_id])
    rest = feed.page(after, run_id=run_id, limit=1)
    return run_id in ended.runs and not rest.events and rest.next.order >= ended.horizon


def _stream(
    services: Services,
    broadcast: Broadcast,
    request: Request,
    run_id: str | None,
    after: Cursor,
    language: Language,
) -> EventStream[FeedEvent]:
    admission = Admission.of(services, request, Scope.READ)
    return EventStream(
        broadcast.listen(run_id, after, admission.owner),
        broadcast.more,
        after=str(after),
        frame=partial(_frame, language),
        admission=admission,
    )


def _frame(language: Language, event: FeedEvent) -> bytes:
    return frame_of(str(event.cursor), event.event_type, shown(event, language).model_dump_json())
