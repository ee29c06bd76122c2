"""The page of stops: everything stopped in two actions, by channel or region; what is in force; lifting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.refusal import unknown
from console.server.fields import identified, text_fault
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit, see
from schemas.access.scopes import Scope
from schemas.orders.contact import Channel
from storage.orders.contacts.do_not_call import Entry
from storage.orders.contacts.stops import Stop
from tasks.orders.people.barring import Reach, find_stop, lift_stop, list_stops, reach_of, stop_contacts

CHANNELS: Final = tuple(Channel)
_LONGEST_REGION: Final = 64
_MOST_MEASURED: Final = 10
"""Stops of which the page says how many orders they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopsPage:
    """The stops, and the form of another."""

    template: ClassVar[str] = "orders/stops.html"
    page: ClassVar[str] = "stops"
    channels: ClassVar[Sequence[Channel]] = CHANNELS

    stops: Sequence[Stop]
    lifted: bool
    """Whether those that were lifted are shown too."""
    reaches: Mapping[str, Reach]
    """How many orders a stop in force holds, by its id."""
    is_stopping: bool = False
    """Whether the form is open."""
    form: Form = EMPTY
    stands: bool = False
    """Whether just such a stop was in force already."""

    @property
    def in_force(self) -> int:
        """How many of them hold."""
        return sum(stop.lifted_at is None for stop in self.stops)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftPage:
    """A stop or an entry of the do-not-call list that is about to be lifted."""

    template: ClassVar[str] = "orders/lift.html"
    page: ClassVar[str] = "stops"

    stop: Stop | None = None
    entry: Entry | None = None
    form: Form = EMPTY


def show_stops(visit: Visit) -> Response:
    """The stops in force; with `lifted` in the query, those before too."""
    return visit.page(_page(visit))


def show_form(visit: Visit) -> Response:
    """The form of another stop, open: the second of the two actions."""
    return visit.page(replace(_page(visit), is_stopping=True))


def stop(visit: Visit) -> Response:
    """Stop contacts, of one channel or region where the form names one."""
    form = visit.form
    channel, fault = channel_in(form)
    region = form["region"] or None
    found = form.with_faults(
        channel=fault,
        reason=text_fault(form["reason"]),
        region=text_fault(form["region"], longest=_LONGEST_REGION, is_needed=False),
    )
    if found.faults:
        return visit.faulty(replace(_page(visit), is_stopping=True, form=found))
    _, is_new = stop_contacts(
        visit.parts.database, channel=channel, region=region, reason=form["reason"], by=visit.login
    )
    return see("/stops") if is_new else visit.page(replace(_page(visit), stands=True))


def show_lifting(visit: Visit) -> Response:
    """The stop that is about to be lifted."""
    return visit.page(_lifting(visit))


def lift(visit: Visit) -> Response:
    """Lift a stop, with the reason."""
    shown, form = _lifting(visit), visit.form
    fault = text_fault(form["reason"])
    if fault is not None:
        return visit.faulty(replace(shown, form=form.with_faults(reason=fault)))
    lift_stop(visit.parts.database, visit.path["stop_id"], by=visit.login, reason=form["reason"])
    return see("/stops")


def channel_in(form: Form) -> tuple[Channel | None, str | None]:
    """The channel that a form names, `None` for every one; and what is wrong with it."""
    name = form["channel"]
    if not name:
        return None, None
    return (Channel(name), None) if name in list(Channel) else (None, "fields.fault.choice")


def _lifting(visit: Visit) -> LiftPage:
    stop_id = identified(visit, "stop_id", "stop")
    found = find_stop(visit.parts.database, stop_id)
    if found is None:
        raise unknown("stop", stop_id)
    return LiftPage(stop=found)


def _page(visit: Visit) -> StopsPage:
    lifted = bool(visit.query.get("lifted"))
    stops = list_stops(visit.parts.database, lifted=lifted)
    measured = [stop for stop in stops if stop.lifted_at is None][:_MOST_MEASURED]
    reaches = {stop.stop_id: reach_of(visit.parts.database, stop) for stop in measured}
    return StopsPage(stops=stops, lifted=lifted, reaches=reaches)


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/stops", show_stops),
    change("/stops", stop, scope=Scope.STOPS),
    page("/stops/new", show_form, scope=Scope.STOPS),
    page("/stops/{stop_id}", show_lifting, scope=Scope.LIFT),
    change("/stops/{stop_id}", lift, scope=Scope.LIFT),
)
"""The routes of stops."""
