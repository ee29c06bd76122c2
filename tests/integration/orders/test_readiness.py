"""The checklist before going live: each check is well once, and made to fail once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from runtime.settings import Settings
from schemas.access.roles import Role
from schemas.orders.contact import Channel
from schemas.people.effects import AlertRaised
from schemas.people.readiness import NEVER_KNOWN, CheckCode, CheckState, Readiness
from storage.access.keys import Keys, NewKey
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.engine.definitions import Definitions
from storage.migrations.roles import APPLICATION
from storage.orders.contacts.stops import ContactStops
from storage.people.alerts import Alerts
from tasks.access.people import Invitation, accept_invitation, add_person, change_person, find_person
from tasks.orders.rules.channel_watch import ALERT
from tasks.orders.upkeep.readiness import readiness
from tests.integration.test_database_roles import opened
from tests.support.factories import PARTS_MISSING, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.servers import Servers

OK, WARNING, FAILED, UNKNOWN = CheckState.OK, CheckState.WARNING, CheckState.FAILED, CheckState.UNKNOWN
PASSWORD = "correct horse battery"
Break = Callable[[InProcessFleet], object]
UNTITLED = {
    "workflow": "nameless",
    "version": "1.0",
    "trigger": "manual",
    "steps": [{"id": "pause", "type": "wait", "wait": {"seconds": 60}}],
}


def looked_at(house: InProcessFleet, settings: Settings) -> dict[CheckCode, Readiness]:
    found = readiness(house.database, settings, house.context.calendar)
    assert [each.code for each in found] == list(CheckCode)
    return {each.code: each for each in found}


def write(statement: str) -> Break:
    return lambda house: Probe(house.database).write(statement)


def with_password(house: InProcessFleet, login: str, role: Role, by: str) -> None:
    invited = add_person(house.database, login, login, [role], by=by)
    assert isinstance(invited, Invitation)
    assert accept_invitation(house.database, login, invited.code, PASSWORD)


def ask(house: InProcessFleet) -> None:
    """Let a reviewer be asked, in a house where one is."""
    house.accept(submission(answered("嗯")))
    house.run()
    assert Probe(house.database).value("SELECT count(*) FROM reviews WHERE state = 'open'") == 1


def schedule(version: str, due: timedelta) -> Break:
    def put(house: InProcessFleet) -> None:
        Probe(house.database).write(
            "INSERT INTO schedules (workflow, position, version, cron, timezone, next_due) "
            "VALUES ('pending_task', 0, %s, '0 9 * * *', 'Asia/Shanghai', business_now() + %s)",
            version,
            due,
        )

    return put


def untitled(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        Definitions(work).register("nameless", "1.0", UNTITLED)


def away(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        Alerts(work).raise_all(
            [
                AlertRaised(
                    alert_type=ALERT,
                    severity="critical",
                    message="x",
                    escalated_to="manager",
                    metadata={"channel": Channel.SMS},
                )
            ]
        )


def faster(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        BusinessClock(work).set(BusinessClock(work).now().business_now, 60)


def in_a_far_year(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        BusinessClock(work).set(datetime(2090, 1, 1, tzinfo=UTC))


def expiring(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        now = BusinessClock(work).now().database_now
        new = NewKey(agent_id="shop", scopes=["read"], expires_at=now + timedelta(days=13))
        Keys(work).create("a key", new, actor="admin")


def unsealed(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        SystemAudit(work).write("admin", "of the test", {})
    Probe(house.database).write("UPDATE system_audit SET at = at - interval '16 minutes'")


def nobody(house: InProcessFleet) -> None:
    change_person(house.database, "wangfang", by="admin", disabled=True)


@pytest.fixture
def ready(house: InProcessFleet) -> InProcessFleet:
    """A house where everything is well that can be known."""
    with_password(house, "wangfang", Role.REVIEWER, "admin")
    house.accept(submission(answered(PARTS_MISSING)))
    house.run()
    with house.database.transaction() as work:
        stop, _ = ContactStops(work).stop(channel=None, region=None, reason="drill", by="wangfang")
        ContactStops(work).lift(stop.stop_id, by="wangfang")
    ask(house)
    version = Probe(house.database).value("SELECT version FROM definitions WHERE workflow = 'pending_task'")
    schedule(version, timedelta(hours=1))(house)
    return house


@pytest.fixture
def settings(ready: InProcessFleet) -> Settings:
    """With a gateway."""
    return ready.settings.model_copy(update={"trusted_proxies": "10.0.0.0/8"})


def test_where_all_is_well_only_what_nobody_can_know_is_unknown(
    ready: InProcessFleet, settings: Settings
) -> None:
    found = looked_at(ready, settings)
    # How far the official holidays reach depends on the day of the test.
    states = {code: each.state for code, each in found.items() if code is not CheckCode.HOLIDAYS}
    assert {code for code, state in states.items() if state is not OK} == NEVER_KNOWN
    assert {found[code].state for code in NEVER_KNOWN} == {UNKNOWN}


@pytest.mark.parametrize(
    ("code", "state", "spoil"),
    [
        (CheckCode.WAIT_TITLES, FAILED, untitled),
        (CheckCode.QUESTION_SCHEMAS, FAILED, write("UPDATE reviews SET decisions = '[]'")),
        (CheckCode.QUESTION_PEOPLE, FAILED, nobody),
        (CheckCode.QUESTION_PEOPLE, FAILED, write("UPDATE users SET password = NULL")),
        (CheckCode.QUESTION_PEOPLE, FAILED, write("UPDATE users SET roles = '{viewer}'")),
        (CheckCode.QUESTION_PEOPLE, FAILED, write("UPDATE reviews SET role = 'manager'")),
        (CheckCode.QUESTION_PEOPLE, FAILED, write("UPDATE reviews SET person = 'zhaolei', role = NULL")),
        (CheckCode.SCHEDULES_OWNED, FAILED, write("UPDATE schedules SET version = '0.9'")),
        (
            CheckCode.SCHEDULES_ON_TIME,
            FAILED,
            write("UPDATE schedules SET next_due = business_now() - interval '6 minutes'"),
        ),
        (CheckCode.TICK, FAILED, write("UPDATE pulses SET at = at - interval '1 minute'")),
        (CheckCode.TICK, FAILED, write("DELETE FROM pulses")),
        (
            CheckCode.LEDGER,
            FAILED,
            write("INSERT INTO figures (name, labelled, value) VALUES ('lost', 'walked', 1)"),
        ),
        (CheckCode.AUDIT_SEALED, FAILED, unsealed),
        (CheckCode.CLOCK_RATE, FAILED, faster),
        (CheckCode.HOLIDAYS, WARNING, in_a_far_year),
        (CheckCode.CHANNELS, FAILED, away),
        (
            CheckCode.CHANNELS,
            UNKNOWN,
            write("UPDATE contact_logs SET created_at = created_at - interval '2 days'"),
        ),
        (CheckCode.CHANNELS, UNKNOWN, write("UPDATE contact_logs SET status = 'refused'")),
        (
            CheckCode.STOP_DRILL,
            FAILED,
            write("UPDATE contact_stops SET stopped_at = stopped_at - interval '91 days'"),
        ),
        (CheckCode.STOP_DRILL, FAILED, write("UPDATE contact_stops SET lifted_at = NULL")),
        (
            CheckCode.DEFAULT_LOGINS,
            FAILED,
            lambda house: with_password(house, "manager", Role.MANAGER, "installation"),
        ),
        (CheckCode.KEY_EXPIRY, WARNING, expiring),
        (CheckCode.MIGRATIONS, FAILED, write("UPDATE alembic_version SET version_num = '0000'")),
    ],
)
def test_a_check_finds_what_is_not_as_it_should_be(
    ready: InProcessFleet, settings: Settings, code: CheckCode, state: CheckState, spoil: Break
) -> None:
    spoil(ready)
    assert looked_at(ready, settings)[code].state is state


def test_without_a_gateway_it_warns(ready: InProcessFleet) -> None:
    assert looked_at(ready, ready.settings)[CheckCode.TRUSTED_PROXIES].state is WARNING


def test_official_holidays_that_reach_far_enough_are_well(ready: InProcessFleet, settings: Settings) -> None:
    with ready.database.transaction() as work:
        BusinessClock(work).set(datetime(2026, 3, 2, tzinfo=UTC))
    assert looked_at(ready, settings)[CheckCode.HOLIDAYS].state is OK


def test_who_has_chosen_a_password_of_their_own_is_no_default_login(
    ready: InProcessFleet, settings: Settings
) -> None:
    with_password(ready, "manager", Role.MANAGER, "installation")
    assert looked_at(ready, settings)[CheckCode.DEFAULT_LOGINS].params["names"] == ["manager"]
    with ready.database.transaction() as work:
        SystemAudit(work).write("manager", "person.password_set", {"login": "manager"})
    assert looked_at(ready, settings)[CheckCode.DEFAULT_LOGINS].state is OK
    assert find_person(ready.database, "manager")


def test_the_application_may_read_all_that_is_checked(
    ready: InProcessFleet, settings: Settings, servers: Servers
) -> None:
    url = settings.database_url.get_secret_value()
    with opened(servers, APPLICATION, url) as database:
        found = readiness(database, settings, ready.context.calendar)
    assert {each.code: each.state for each in found}[CheckCode.MIGRATIONS] is OK


def test_who_may_not_read_the_version_of_the_tables_does_not_know_it(
    ready: InProcessFleet, settings: Settings, servers: Servers
) -> None:
    Probe(ready.database).write(f"REVOKE SELECT ON alembic_version FROM {APPLICATION}")
    database: Database
    with opened(servers, APPLICATION, settings.database_url.get_secret_value()) as database:
        found = readiness(database, settings, ready.context.calendar)
    assert {each.code: each.state for each in found}[CheckCode.MIGRATIONS] is UNKNOWN
