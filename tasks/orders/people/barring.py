"""Blocks and unblocks contacts: contact stops and the do-not-call list, each with an audit line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime.blind_index import BlindIndex
from runtime.mask import mask_text
from runtime.phone import Phone, normalise
from schemas.orders.contact import Channel
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.orders.contacts.do_not_call import DoNotCall, Entry, NewEntry
from storage.orders.contacts.stops import ContactStops, Stop
from storage.orders.orders import Orders
from tools.contact_policy.stops import EmergencyStop


class AlreadyOver(ValueError):
    """A number was to be barred until a moment that has passed: nothing would be barred."""

    def __init__(self, now: datetime) -> None:
        """Say what time it is on the business clock."""
        super().__init__(f"lies in the past: it is {now:%Y-%m-%d %H:%M %Z} by the business clock")


@dataclass(frozen=True, slots=True)
class Reach:
    """The number of open orders that a stop holds, and of those without a region."""

    held: int
    open: int
    without_region: int


def list_stops(database: Database, *, lifted: bool = False, limit: int = 100) -> Sequence[Stop]:
    """Stops, the newest first; those that were lifted too, when asked for."""
    with database.transaction() as work:
        return ContactStops(work).list(lifted=lifted, limit=limit)


def list_barred(
    database: Database,
    *,
    marks: Sequence[bytes] | None = None,
    ended: bool = False,
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> Sequence[Entry]:
    """Entries of the do-not-call list, the newest first, of one number where its marks are given."""
    with database.transaction() as work:
        return DoNotCall(work).list(marks=marks, ended=ended, after=after, limit=limit)


def find_stop(database: Database, stop_id: str) -> Stop | None:
    """The stop with this id."""
    with database.transaction() as work:
        return ContactStops(work).find(stop_id)


def find_barred(database: Database, entry_id: str) -> Entry | None:
    """The entry of the do-not-call list with this id."""
    with database.transaction() as work:
        return DoNotCall(work).find(entry_id)


def phone_of_order(database: Database, task_id: str) -> tuple[bool, Phone | None]:
    """Whether there is such an order, and its number where it has one that can be called."""
    with database.transaction() as work:
        order = Orders(work).find([task_id]).get(task_id)
    if order is None:
        return False, None
    return True, normalise(order.phone or "")


def reach_of(database: Database, stop: Stop) -> Reach:
    """How far a stop reaches at this moment."""
    with database.snapshot() as work:
        orders = ContactStops(work).open_orders()
    scope = EmergencyStop(None, stop.region, stop.reason)
    return Reach(
        held=sum(count for region, count in orders.items() if scope.covers_region(region)),
        open=sum(orders.values()),
        without_region=orders.get(None, 0),
    )


def stop_contacts(
    database: Database, *, channel: Channel | None, region: str | None, reason: str, by: str
) -> tuple[Stop, bool]:
    """Stop all contacts, of one channel or region where named; the stop, and whether it is new.

    When this returns, no contact begins any more whose intent was not committed before.
    """
    with database.transaction() as work:
        stop, is_new = ContactStops(work).stop(
            channel=channel, region=region and region.strip(), reason=mask_text(reason), by=by
        )
        if is_new:
            scope = {"stop_id": stop.stop_id, "channel": stop.channel, "region": stop.region}
            SystemAudit(work).write(by, "contact_stopped", {**scope, "reason": stop.reason})
    return stop, is_new


def lift_stop(
    database: Database, stop_id: str, *, by: str, reason: str | None = None
) -> tuple[Stop | None, bool]:
    """End a stop, with the reason on record; what it held goes on within a quarter of a minute."""
    with database.transaction() as work:
        stop, is_lifted = ContactStops(work).lift(stop_id, by=by)
        if stop is not None and is_lifted:
            scope = {"stop_id": stop.stop_id, "channel": stop.channel, "region": stop.region}
            SystemAudit(work).write(by, "contact_stop_lifted", scope | _reason(reason))
    return stop, is_lifted


def bar_number(
    database: Database,
    blind_index: BlindIndex,
    phone: Phone,
    *,
    channel: Channel | None,
    reason: str,
    until: datetime | None,
    by: str,
    task_id: str | None = None,
) -> tuple[Entry, bool]:
    """Put a number on the do-not-call list; the entry, and whether it is new.

    When this returns, no contact of the number begins any more whose intent was not committed before.

    Raises:
        AlreadyOver: `until` has passed; nothing was written.
    """
    number, *former = blind_index.marks(phone)
    entry = NewEntry(
        number=number,
        former=tuple(former),
        masked=phone.masked(),
        reason=mask_text(reason),
        added_by=by,
        channel=channel,
        task_id=task_id,
        until=until,
    )
    with database.transaction() as work:
        added, is_new = DoNotCall(work).add(entry)
        if not added.holds:
            raise AlreadyOver(BusinessClock(work).now().business_now)
        if is_new:
            detail = {"entry_id": added.entry_id, "phone": added.masked, "channel": added.channel}
            SystemAudit(work).write(
                by, "do_not_call_added", {**detail, "until": added.until, "reason": added.reason}
            )
    return added, is_new


def allow_number(
    database: Database, entry_id: str, *, by: str, reason: str | None = None
) -> tuple[Entry | None, bool]:
    """Lift an entry of the do-not-call list, with the reason on record."""
    with database.transaction() as work:
        entry, is_lifted = DoNotCall(work).lift(entry_id, by=by)
        if entry is not None and is_lifted:
            detail = {"entry_id": entry.entry_id, "phone": entry.masked, "channel": entry.channel}
            SystemAudit(work).write(by, "do_not_call_lifted", detail | _reason(reason))
    return entry, is_lifted


def _reason(reason: str | None) -> dict[str, str | None]:
    return {} if reason is None else {"reason": mask_text(reason)}
