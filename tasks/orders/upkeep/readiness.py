"""The checklist before an installation goes live: what the database and the settings can tell of it today."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from runtime.settings import Settings
from schemas.access.roles import SCOPES_OF_ROLE
from schemas.access.scopes import Scope
from schemas.core.definition.reader import examined_definition
from schemas.orders.contact import Channel
from schemas.people.readiness import MOST_NAMED, NEVER_KNOWN, CheckCode, CheckState, Readiness
from statemachine.workflow.states import DefinitionState
from statemachine.workflow.step import Kind
from storage.access.keys import Keys
from storage.access.seals import Seals
from storage.access.users import Users
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock, Moments
from storage.engine.definitions import Definitions
from storage.engine.pulses import FRESH_SECONDS, TICK_PULSE, Pulses
from storage.engine.triggers.schedules import Schedules
from storage.orders.contacts.stops import ContactStops
from storage.orders.figures.figures import Figures
from storage.orders.fleet_view import FleetView
from storage.people.alerts import Alerts
from storage.people.interrupts import Interrupts
from tasks.orders.rules.channel_watch import ALERT
from tasks.orders.upkeep.sealing import TABLES as SEALED
from tools.calendar import Calendar
from tools.contact_policy.zone import DEFAULT_ZONE

_LATE_AFTER: Final = timedelta(minutes=5)
"""How long after its time a schedule may stand, by the database's clock."""
_SEALED_WITHIN: Final = timedelta(minutes=15)
"""How long a line of history may wait for its seal; `AuditNotSealed` of Prometheus asks for the same."""
_HOLIDAYS_AHEAD: Final = timedelta(days=60)
_CONTACT_WITHIN: Final = timedelta(hours=24)
_DRILL_WITHIN: Final = timedelta(days=90)
_KEYS_EXPIRE: Final = timedelta(days=14)
_MOST_STOPS: Final = 1_000
_WAITS: Final = frozenset({Kind.HUMAN, Kind.WAIT})


def readiness(database: Database, settings: Settings, calendar: Calendar) -> Sequence[Readiness]:
    """Every check there is, each once, in the order of the list.

    Raises:
        StorageUnavailable: PostgreSQL does not answer.
    """
    with database.snapshot() as work:
        found = [*_work(work, calendar), *_access(work, settings)]
    found += [Readiness(code=code, state=CheckState.UNKNOWN) for code in NEVER_KNOWN]
    order = list(CheckCode)
    return sorted(found, key=lambda each: order.index(each.code))


def _work(work: UnitOfWork, calendar: Calendar) -> Iterator[Readiness]:
    moments = BusinessClock(work).now()
    interrupts = Interrupts(work)
    answering = [role for role, scopes in SCOPES_OF_ROLE.items() if Scope.REVIEWS in scopes]
    yield _named(CheckCode.WAIT_TITLES, _untitled(work))
    yield _counted(CheckCode.QUESTION_SCHEMAS, interrupts.without_answers())
    yield _counted(CheckCode.QUESTION_PEOPLE, interrupts.of_nobody(answering))
    yield from _schedules(work, moments)
    swept = Pulses(work).seconds_since(TICK_PULSE)
    yield _check(
        CheckCode.TICK, is_well=swept is not None and swept <= FRESH_SECONDS, most=int(FRESH_SECONDS)
    )
    yield _counted(CheckCode.LEDGER, _unaccounted(work))
    unsealed = max(Seals(work).oldest_unsealed_seconds(table) for table in SEALED.values())
    most = int(_SEALED_WITHIN / timedelta(minutes=1))
    yield _check(CheckCode.AUDIT_SEALED, is_well=unsealed <= _SEALED_WITHIN.total_seconds(), most=most)
    rate = moments.anchor.rate
    yield _check(CheckCode.CLOCK_RATE, is_well=rate == 1, rate=f"{rate:g}")
    horizon = (moments.business_now.astimezone(ZoneInfo(DEFAULT_ZONE)) + _HOLIDAYS_AHEAD).date()
    yield _check(
        CheckCode.HOLIDAYS,
        CheckState.WARNING,
        is_well=calendar.horizon_warning(horizon) is None,
        until=calendar.official_until.isoformat(),
        days=_HOLIDAYS_AHEAD.days,
    )
    yield _channels(work)
    since = moments.database_now - _DRILL_WITHIN
    stops = ContactStops(work).list(lifted=True, limit=_MOST_STOPS)
    drilled = any(stop.stopped_at >= since and stop.lifted_at is not None for stop in stops)
    yield _check(CheckCode.STOP_DRILL, is_well=drilled, days=_DRILL_WITHIN.days)


def _access(work: UnitOfWork, settings: Settings) -> Iterator[Readiness]:
    now = BusinessClock(work).now().database_now
    yield _named(CheckCode.DEFAULT_LOGINS, Users(work).as_installed())
    yield _check(CheckCode.TRUSTED_PROXIES, CheckState.WARNING, is_well=bool(settings.trusted_networks))
    # What comes of logging in ends within hours, and that is as it should be.
    expiring = [
        f"{key.agent_id} ({key.key_id})"
        for key in Keys(work).list()
        if key.state == "active"
        and not key.is_login
        and key.expires_at is not None
        and key.expires_at <= now + _KEYS_EXPIRE
    ]
    yield _named(CheckCode.KEY_EXPIRY, expiring, CheckState.WARNING, days=_KEYS_EXPIRE.days)
    # Alembic is imported where it is asked for.
    from storage.core.migrate import is_at_head

    at_head = is_at_head(work)
    if at_head is None:
        yield Readiness(code=CheckCode.MIGRATIONS, state=CheckState.UNKNOWN)
    else:
        yield _check(CheckCode.MIGRATIONS, is_well=at_head)


def _untitled(work: UnitOfWork) -> list[str]:
    """The waits and questions of active definitions that have no title."""
    definitions = Definitions(work)
    found = []
    for each in definitions.versions():
        body = definitions.find(each.workflow, each.version) if each.state is DefinitionState.ACTIVE else None
        workflow = None if body is None else examined_definition(body).workflow
        steps = () if workflow is None else workflow.steps.values()
        found += [
            f"{each.workflow} {each.version}: {step.id}"
            for step in steps
            if step.kind in _WAITS and not step.title
        ]
    return found


def _schedules(work: UnitOfWork, moments: Moments) -> Iterator[Readiness]:
    active = {
        (each.workflow, each.version)
        for each in Definitions(work).versions()
        if each.state is DefinitionState.ACTIVE
    }
    schedules = Schedules(work).all()
    # On a clock that runs faster more of its minutes pass until the next sweep.
    late = moments.business_now - _LATE_AFTER * max(1.0, moments.anchor.rate)
    orphans = [
        f"{row.workflow} {row.version}" for row in schedules if (row.workflow, row.version) not in active
    ]
    missed = [row.workflow for row in schedules if row.next_due is not None and row.next_due < late]
    yield _named(CheckCode.SCHEDULES_OWNED, orphans)
    yield _named(CheckCode.SCHEDULES_ON_TIME, missed)


def _unaccounted(work: UnitOfWork) -> int:
    figures = Figures(work)
    counters = figures.counters()
    return figures.ledger(figures.orders(counters), figures.reviews(counters), counters.lost()).unaccounted


def _channels(work: UnitOfWork) -> Readiness:
    away = [channel.value for channel in Channel if Alerts(work).open_of(ALERT, channel)]
    params = {"names": away, "hours": int(_CONTACT_WITHIN / timedelta(hours=1))}
    since = FleetView(work).seconds_since_contact()
    if away:
        state = CheckState.FAILED
    elif since is None or since > _CONTACT_WITHIN.total_seconds():
        state = CheckState.UNKNOWN
    else:
        state = CheckState.OK
    return Readiness(code=CheckCode.CHANNELS, state=state, params=params)


def _counted(code: CheckCode, number: int) -> Readiness:
    return _check(code, is_well=number == 0, number=number)


def _named(
    code: CheckCode, names: Sequence[str], otherwise: CheckState = CheckState.FAILED, **params: object
) -> Readiness:
    return _check(
        code, otherwise, is_well=not names, number=len(names), names=list(names[:MOST_NAMED]), **params
    )


def _check(
    code: CheckCode, otherwise: CheckState = CheckState.FAILED, *, is_well: bool, **params: object
) -> Readiness:
    return Readiness(code=code, state=CheckState.OK if is_well else otherwise, params=params)
