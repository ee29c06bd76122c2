"""A channel is used no more in a day than its budget says; what is over waits for the next."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from storage.engine.clock import BusinessClock
from tests.support.factories import READY, answered, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import accepted, bounded, contact_step
from tests.support.probe import Probe

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
    assert step["error"]["message"] == "today's budget of the channel is used up"
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
