"""The pages of what intake refused: why, what came, its correction, sending in again, letting be."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.cursor import cursor_of, place_of
from api.server.refusal import unknown
from console.server.fields import PAGE_ROWS, chosen, identified, names_in, query_of, text_fault
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit, see
from schemas.access.scopes import Scope
from schemas.core.problems import Problem
from storage.people.rejects import Reject
from tasks.people.payload import shown
from tasks.people.rejects import find_reject, list_rejects, masked_problem, shown_problems
from tasks.people.replay import Handling, RejectResult, dismiss, replay

STATES: Final = ("open", "replayed", "dismissed", "all")
SOURCES: Final = ("http", "stream", "queue", "command", "trigger")
_CONFLICT: Final = 409
_HANDLED: Final = (RejectResult.REPLAYED, RejectResult.DISMISSED)


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of one of many."""

    reject_id: str
    outcome: RejectResult
    task_id: str | None
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class ListedReject:
    """A refused input in the list, without what came."""

    reject: Reject
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakePage:
    """What intake refused, with the results of what was just done with many."""

    template: ClassVar[str] = "people/intake.html"
    page: ClassVar[str] = "intake"
    states: ClassVar[Sequence[str]] = STATES
    sources: ClassVar[Sequence[str]] = SOURCES

    state: str
    source: str | None
    rows: Sequence[ListedReject]
    next: str | None
    form: Form = EMPTY
    results: Sequence[IntakeResult] = ()

    def query(self, cursor: str | None = None) -> str:
        """The query of this list."""
        state = None if self.state == STATES[0] else self.state
        return query_of({"state": state, "source": self.source, "cursor": cursor})


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectPage:
    """One refused input: what is wrong with it, what came (masked), and what can be done."""

    template: ClassVar[str] = "people/reject.html"
    page: ClassVar[str] = "intake"

    reject: Reject
    problems: Sequence[Problem]
    body: str
    form: Form = EMPTY
    refusal: str | None = None
    found: Sequence[Problem] = ()
    """What is wrong with what was just sent in."""

    @property
    def typed(self) -> str:
        """What stands in the field of the correction."""
        return self.form["body"] or self.body


def show_intake(visit: Visit) -> Response:
    """What intake refused, as the query asks for it."""
    return visit.page(_page(visit))


def show_reject(visit: Visit) -> Response:
    """One refused input."""
    return visit.page(_one(visit, identified(visit, "reject_id", "reject")))


def handle_many(visit: Visit) -> Response:
    """Send what was chosen in again as it came, or let it be; with a result each."""
    form = visit.form
    ids = names_in(form, "chosen")
    faults = {"chosen": None if ids else "intake.fault.nothing"}
    is_dismissal = form["do"] == "dismiss"
    found = form.with_faults(**faults, reason=text_fault(form["reason"]) if is_dismissal else None)
    if found.faults:
        return visit.faulty(replace(_page(visit), form=found))
    results = [
        _result(
            reject_id,
            _dismiss(visit, reject_id) if is_dismissal else _replay(visit, reject_id, corrected=None),
        )
        for reject_id in ids
    ]
    return visit.page(replace(_page(visit), results=results))


def handle_one(visit: Visit) -> Response:
    """Send one in again, corrected or as it came, or let it be."""
    reject_id, form = identified(visit, "reject_id", "reject"), visit.form
    present = replace(_one(visit, reject_id), form=form)
    if form["do"] == "dismiss":
        fault = text_fault(form["reason"])
        if fault is not None:
            return visit.faulty(replace(present, form=form.with_faults(reason=fault)))
        return _answer(visit, present, _dismiss(visit, reject_id))
    corrected: Mapping[str, Any] | None = None
    # Left as it was shown it is sent as it came: what is masked beside the known fields would be lost.
    if form["do"] == "correct" and _plain(form["body"]) != _plain(present.body):
        corrected = _document(form["body"])
        if corrected is None:
            return visit.faulty(replace(present, form=form.with_faults(body="intake.fault.json")))
    return _answer(visit, present, _replay(visit, reject_id, corrected=corrected))


def _answer(visit: Visit, present: RejectPage, handling: Handling) -> Response:
    reject_id = present.reject.reject_id
    if handling.outcome in _HANDLED:
        return see(f"/intake/{reject_id}")
    if handling.outcome is RejectResult.UNKNOWN:
        raise unknown("reject", reject_id)
    found = [masked_problem(problem) for problem in handling.problems]
    failed = replace(present, found=found, refusal=f"intake.result.{handling.outcome.value}")
    return visit.faulty(failed) if handling.outcome is RejectResult.INVALID else visit.page(failed, _CONFLICT)


def _replay(visit: Visit, reject_id: str, *, corrected: Mapping[str, Any] | None) -> Handling:
    return replay(
        visit.parts.engine,
        visit.forms,
        visit.parts.personal,
        reject_id,
        corrected,
        by=visit.login,
        request_id=visit.request_id,
    )


def _dismiss(visit: Visit, reject_id: str) -> Handling:
    return dismiss(visit.parts.database, reject_id, by=visit.login, reason=visit.form["reason"])


def _result(reject_id: str, handling: Handling) -> IntakeResult:
    task_id = None if handling.reject is None else handling.reject.replayed_as
    problems = [masked_problem(problem) for problem in handling.problems]
    return IntakeResult(reject_id, handling.outcome, task_id, problems)


def _document(text: str) -> Mapping[str, Any] | None:
    """The JSON object that somebody wrote; `None` where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _plain(text: str) -> str:
    """A text as browsers send it back or not: their lines end otherwise."""
    return text.replace("\r\n", "\n").strip()


def _legible(text: str) -> str:
    """JSON with a line for each field; what is none, as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _one(visit: Visit, reject_id: str) -> RejectPage:
    reject = find_reject(visit.parts.database, reject_id)
    if reject is None:
        raise unknown("reject", reject_id)
    body = _legible(shown(reject.payload, visit.parts.personal)) if reject.payload else ""
    return RejectPage(reject=reject, problems=shown_problems(reject), body=body)


def _page(visit: Visit) -> IntakePage:
    state = chosen(visit, "state", STATES) or STATES[0]
    source = chosen(visit, "source", SOURCES)
    found = list_rejects(
        visit.parts.database,
        state=None if state == "all" else state,
        source=source,
        after=place_of(visit.query.get("cursor") or None),
        limit=PAGE_ROWS + 1,
    )
    rows = found[:PAGE_ROWS]
    last = rows[-1] if len(found) > len(rows) else None
    return IntakePage(
        state=state,
        source=source,
        rows=[ListedReject(reject, shown_problems(reject)) for reject in rows],
        next=None if last is None else cursor_of((last.rejected_at, last.reject_id)),
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/intake", show_intake, scope=Scope.INTAKE),
    change("/intake", handle_many, scope=Scope.INTAKE),
    page("/intake/{reject_id}", show_reject, scope=Scope.INTAKE),
    change("/intake/{reject_id}", handle_one, scope=Scope.INTAKE),
)
"""The routes of what intake refused."""
