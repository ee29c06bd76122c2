"""A channel is used no more in a day than its budget says; what is over waits for the next."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.orders.contact import Channel
from schemas.orders.effects import ContactNoted
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.orders.contacts.constraints import ConstraintQuery, ContactConstraints
from storage.orders.contacts.contact import NewContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.figures.feeds import ZONE
from tasks.orders.upkeep.counting import count
from tests.support.factories import READY, answered, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import accepted, bounded, contact_step
from tests.support.probe import Probe
from tools.contact_policy.zone import DEFAULT_ZONE

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 16, 9, 0, tzinfo=SHANGHAI)


def contacted_on(house: InProcessFleet) -> list[tuple[str, str]]:
    rows = Probe(house.database).rows(
        "SELECT contact_method, contact_time FROM contact_logs ORDER BY contact_time"
    )
    return [(row[0], f"{row[1].astimezone(SHANGHAI):%m-%d}") for row in rows]


def at_nine(database_url: str, config: Path, policy: str) -> InProcessFleet:
    house = InProcessFleet.build(database_url, config_folder=config, contact_policy=policy)
    with house.database.transaction() as work:
        BusinessClock(work).set(MONDAY)
    return house


def test_what_is_over_the_budget_waits_for_the_next_permitted_hour_of_tomorrow(
    database_url: str, tmp_path: Path
) -> None:
    house = at_nine(database_url, bounded(tmp_path, "standard", daily_budgets={"phone": 2}), "standard")
    tasks = [accepted(house, f"1390000000{n}") for n in range(3)]
    house.run()
    (waiting,) = [task_id for task_id in tasks if house.order(task_id).status == "contacting"]
    step = contact_step(house, waiting)
    assert step["due_at"] == datetime(2026, 3, 17, 1, 0, tzinfo=UTC)
    assert [each["code"] for each in step["error"]["why"]] == ["budget"]
    house.run_to_the_end()
    assert contacted_on(house) == [("phone", "03-16"), ("phone", "03-16"), ("phone", "03-17")]
    house.close()


def test_a_budget_is_its_channels_alone(database_url: str, tmp_path: Path) -> None:
    house = at_nine(database_url, bounded(tmp_path, daily_budgets={"phone": 2, "sms": None}), "always_open")
    for number in range(2):
        accepted(house, f"1390000000{number}", silent("invalid_number"), answered(READY))
    house.run_to_the_end()
    assert contacted_on(house) == [("phone", "03-16")] * 2 + [("sms", "03-16")] * 2
    house.close()


def test_what_was_counted_already_is_part_of_the_day(database_url: str, tmp_path: Path) -> None:
    house = at_nine(database_url, bounded(tmp_path, daily_budgets={"phone": 2}), "always_open")
    for number in range(3):
        accepted(house, f"1390000000{number}")
        house.run()
        count(house.database, seconds=60.0)
    house.run_to_the_end()
    assert contacted_on(house) == [("phone", "03-16"), ("phone", "03-16"), ("phone", "03-17")]
    house.close()


class Attempts:
    """Attempts by phone on a Monday morning, and what is spent of the day's budget."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as work:
            BusinessClock(work).set(MONDAY)

    def intend(self, *keys: str, hours_later: float = 0) -> None:
        """Begin these attempts; those that were refused are begun again."""
        with self.database.transaction() as work:
            Contacts(work).intend(
                [
                    NewContact(
                        contact_id=f"CONT{key}",
                        task_id=key,
                        method="phone",
                        contact_time=MONDAY + timedelta(hours=hours_later),
                        key=key,
                        round=1,
                        contact_no=1,
                        step_id=number,
                        script_id="s",
                    )
                    for number, key in enumerate(keys)
                ]
            )

    def note(self, key: str, status: Literal["sent", "refused"]) -> None:
        """Write what became of an attempt."""
        with self.database.transaction() as work:
            (contact,) = Contacts(work).by_keys([key])
            begun_at = contact.created_at if status == "refused" else None
            Contacts(work).note(
                [ContactNoted(contact_id=contact.contact_id, status=status, begun_at=begun_at)]
            )

    def spent(self, *own: str) -> int:
        """The contacts of the day by phone, without those with these keys."""
        asked = ConstraintQuery(numbers=frozenset(), keys=own, longest=None, most=0, budgeted=[Channel.PHONE])
        with self.database.transaction() as work:
            return ContactConstraints(work).look(asked).spent[Channel.PHONE]


def test_a_days_contacts_are_the_same_before_and_after_they_were_counted(database: Database) -> None:
    attempts = Attempts(database)
    attempts.intend("yesterday", hours_later=-12)
    attempts.intend("a", "b", "c")
    attempts.note("a", "sent")
    attempts.note("b", "refused")
    for _ in range(3):
        assert (attempts.spent(), attempts.spent("a"), attempts.spent("a", "b", "c")) == (2, 1, 0)
        count(database, seconds=60.0)


def test_an_attempt_that_was_counted_as_refused_counts_at_once_when_it_is_begun_again(
    database: Database,
) -> None:
    attempts = Attempts(database)
    attempts.intend("a")
    attempts.note("a", "refused")
    count(database, seconds=60.0)
    assert attempts.spent() == 0
    attempts.intend("a", hours_later=1)
    for _ in range(3):
        assert (attempts.spent(), attempts.spent("a")) == (1, 0)
        count(database, seconds=60.0)


def test_an_attempt_begun_again_on_the_next_day_is_the_next_days(database: Database) -> None:
    attempts = Attempts(database)
    attempts.intend("a")
    count(database, seconds=60.0)
    with database.transaction() as work:
        BusinessClock(work).set(MONDAY + timedelta(days=1))
    assert attempts.spent() == 0
    attempts.intend("a", hours_later=24)
    for _ in range(3):
        assert attempts.spent() == 1
        count(database, seconds=60.0)


def test_a_place_that_was_refused_is_free_again_once_it_was_looked_at(database: Database) -> None:
    attempts = Attempts(database)
    attempts.intend("a", "b")
    count(database, seconds=60.0)
    attempts.note("a", "refused")
    assert attempts.spent() >= 1
    count(database, seconds=60.0)
    assert attempts.spent() == 1


def test_days_are_counted_in_the_zone_in_which_budgets_renew() -> None:
    assert ZONE == DEFAULT_ZONE
