"""The page of the do-not-call list: numbers added, one or many, found and lifted; never shown in clear."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.cursor import cursor_of, place_of
from api.server.refusal import unknown
from console.orders.stops import CHANNELS, LiftPage, channel_in
from console.server.fields import PAGE_ROWS, end_of_day, identified, query_of, text_fault
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit, see
from runtime.phone import Phone, normalise
from schemas.access.scopes import Scope
from schemas.orders.contact import Channel
from storage.orders.contacts.do_not_call import Entry
from tasks.orders.people.barring import (
    AlreadyOver,
    allow_number,
    bar_number,
    find_barred,
    list_barred,
    phone_of_order,
)

MOST_LINES: Final = 500
"""Numbers that are taken in at once."""
_LONGEST_NUMBER: Final = 64


@dataclass(frozen=True, slots=True)
class NumberResult:
    """What became of one line of many; a number is shown masked, and nothing of what is none."""

    line: int
    masked: str | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersPage:
    """The do-not-call list, with its forms and what was just done."""

    template: ClassVar[str] = "orders/numbers.html"
    page: ClassVar[str] = "stops.numbers"
    channels: ClassVar[Sequence[Channel]] = CHANNELS

    entries: Sequence[Entry]
    ended: bool
    next: str | None
    form: Form = EMPTY
    results: Sequence[NumberResult] = ()
    found: Sequence[Entry] | None = None
    """The entries of the number that was asked for."""

    def query(self, cursor: str | None = None) -> str:
        """The query of this list."""
        return query_of({"ended": "1" if self.ended else None, "cursor": cursor})


def show_numbers(visit: Visit) -> Response:
    """The list, the newest first."""
    return visit.page(_page(visit))


def take_numbers(visit: Visit) -> Response:
    """Add a number, many, or find one: a number is sent in a form, never in an address."""
    match visit.form["do"]:
        case "find":
            return _find(visit)
        case "import":
            return _import(visit)
        case _:
            return _add(visit)


def _find(visit: Visit) -> Response:
    phone = normalise(visit.form["sought"])
    if phone is None:
        return _faulty(visit, visit.form.with_faults(sought="stops.fault.number"))
    found = list_barred(visit.parts.database, marks=visit.parts.context.blind_index.marks(phone), ended=True)
    return visit.page(replace(_page(visit), found=found))


def _add(visit: Visit) -> Response:
    form = visit.form
    phone, faults = _phone_in(visit)
    found = form.with_faults(**faults, reason=text_fault(form["reason"]), **_further_faults(form, ""))
    if found.faults or phone is None:
        return _faulty(visit, found)
    outcome = _bar(visit, phone, form["reason"], task_id=form["task_id"] or None)
    if outcome == "over":
        return _faulty(visit, form.with_faults(day="stops.fault.over"))
    return see("/stops/numbers")


def _import(visit: Visit) -> Response:
    form = visit.form
    lines = [line.strip() for line in form["lines"].splitlines()]
    given = [(nth, line) for nth, line in enumerate(lines, 1) if line]
    fault = None if given else "fields.fault.empty"
    if len(given) > MOST_LINES:
        fault = "stops.fault.many"
    found = form.with_faults(lines=fault, all_reason=text_fault(form["all_reason"]))
    found = found.with_faults(**_further_faults(form, "all_"))
    if found.faults:
        return _faulty(visit, found)
    results = [_import_line(visit, nth, line) for nth, line in given]
    done = {result.line for result in results if result.outcome in ("added", "stands")}
    # What could not be taken stays in the field, to be mended there.
    rest = "\n".join(line for nth, line in given if nth not in done)
    kept = Form({**form.fields, "lines": (rest,)})
    return visit.page(replace(_page(visit), results=results, form=kept if rest else EMPTY))


def _import_line(visit: Visit, nth: int, line: str) -> NumberResult:
    """A line is a number, and behind a comma or a tab a reason of its own."""
    number, _, reason = line.replace("\t", ",").replace("，", ",").partition(",")
    phone = normalise(number.strip())
    if phone is None:
        return NumberResult(nth, None, "number")
    if text_fault(reason.strip(), is_needed=False) is not None:
        return NumberResult(nth, phone.masked(), "reason")
    outcome = _bar(visit, phone, reason.strip() or visit.form["all_reason"], prefix="all_")
    return NumberResult(nth, phone.masked(), outcome)


def _bar(visit: Visit, phone: Phone, reason: str, *, task_id: str | None = None, prefix: str = "") -> str:
    form = visit.form
    channel = form[f"{prefix}channel"]
    try:
        _, is_new = bar_number(
            visit.parts.database,
            visit.parts.context.blind_index,
            phone,
            channel=Channel(channel) if channel else None,
            reason=reason,
            until=_until(form[f"{prefix}day"]),
            by=visit.login,
            task_id=task_id,
        )
    except AlreadyOver:
        return "over"
    return "added" if is_new else "stands"


def _phone_in(visit: Visit) -> tuple[Phone | None, dict[str, str]]:
    """The number that the form gives, or that the order has which it names; and what is wrong."""
    form = visit.form
    if bool(form["phone"]) == bool(form["task_id"]):
        return None, {"phone": "stops.fault.one"}
    if form["phone"]:
        phone = normalise(form["phone"])
        return phone, {} if phone else {"phone": "stops.fault.number"}
    if text_fault(form["task_id"], longest=_LONGEST_NUMBER) is not None:
        return None, {"task_id": "stops.fault.order"}
    exists, phone = phone_of_order(visit.parts.database, form["task_id"])
    if phone is None:
        return None, {"task_id": "stops.fault.without" if exists else "stops.fault.order"}
    return phone, {}


def _further_faults(form: Form, prefix: str) -> dict[str, str | None]:
    """What is wrong with the channel and the last day."""
    names = {"channel": form[f"{prefix}channel"]}
    _, channel = channel_in(Form({name: (value,) for name, value in names.items()}))
    try:
        _until(form[f"{prefix}day"])
    except (ValueError, OverflowError):
        return {f"{prefix}channel": channel, f"{prefix}day": "fields.fault.day"}
    return {f"{prefix}channel": channel}


def _until(day: str) -> datetime | None:
    return end_of_day(day) if day else None


def show_lifting(visit: Visit) -> Response:
    """The entry that is about to be lifted."""
    return visit.page(_lifting(visit))


def lift(visit: Visit) -> Response:
    """Let a number be contacted again, with the reason."""
    shown, form = _lifting(visit), visit.form
    fault = text_fault(form["reason"])
    if fault is not None:
        return visit.faulty(replace(shown, form=form.with_faults(reason=fault)))
    allow_number(visit.parts.database, visit.path["entry_id"], by=visit.login, reason=form["reason"])
    return see("/stops/numbers")


def _lifting(visit: Visit) -> LiftPage:
    entry_id = identified(visit, "entry_id", "entry")
    found = find_barred(visit.parts.database, entry_id)
    if found is None:
        raise unknown("entry", entry_id)
    return LiftPage(entry=found)


def _faulty(visit: Visit, form: Form) -> Response:
    return visit.faulty(replace(_page(visit), form=form))


def _page(visit: Visit) -> NumbersPage:
    ended = bool(visit.query.get("ended"))
    place = place_of(visit.query.get("cursor") or None)
    found = list_barred(visit.parts.database, ended=ended, after=place, limit=PAGE_ROWS + 1)
    entries = found[:PAGE_ROWS]
    last = entries[-1] if len(found) > len(entries) else None
    return NumbersPage(
        entries=entries,
        ended=ended,
        next=None if last is None else cursor_of((last.added_at, last.entry_id)),
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/stops/numbers", show_numbers, scope=Scope.STOPS),
    change("/stops/numbers", take_numbers, scope=Scope.STOPS),
    page("/stops/numbers/{entry_id}", show_lifting, scope=Scope.LIFT),
    change("/stops/numbers/{entry_id}", lift, scope=Scope.LIFT),
)
"""The routes of the do-not-call list."""
