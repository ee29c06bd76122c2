"""What `unpend capacity` sets and shows, and `unpend task undo`."""

from datetime import date, timedelta

import pytest

from storage.orders.capacity import Capacity, DayCapacity
from storage.people.reviews import Reviews
from tests.support.command_line import CommandLine
from tests.support.factories import CANCEL, answered
from tests.support.orders.signals import order_run

DAY = date(2099, 3, 16)


def test_what_is_set_is_listed(fleet: CommandLine) -> None:
    assert fleet.run("capacity", "set", "华东", str(DAY), "3", "--days", "2").exit_code == 0
    found = fleet.read("capacity", "list", "--region", "华东", "--from", str(DAY), "--to", "2099-12-31")
    assert found == [
        {"region": "华东", "day": str(DAY + timedelta(days=nth)), "capacity": 3, "booked": 0, "free": 3}
        for nth in range(2)
    ]


def test_nothing_set_is_said(fleet: CommandLine) -> None:
    assert "not limited" in fleet.run("capacity", "list").stdout


def test_less_than_is_booked_is_refused(fleet: CommandLine) -> None:
    with fleet.house.database.transaction() as work:
        Capacity(work).set([DayCapacity(region="a", day=DAY, capacity=2)])
        work.connection.exec_driver_sql("UPDATE engineer_capacity SET booked = 2")
    refused = fleet.run("capacity", "set", "a", str(DAY), "1")
    assert (refused.exit_code, "2 booked" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [("a", "soon", "1"), ("a", "0001-01-01", "1"), ("a b", "2099-03-16", "1"), ("a", "2099-03-16", "-1")],
)
def test_what_cannot_be_set_is_said(fleet: CommandLine, arguments: tuple[str, ...]) -> None:
    assert fleet.run("capacity", "set", *arguments).exit_code == 2


def test_a_cancellation_is_taken_back(fleet: CommandLine) -> None:
    task_id = order_run(fleet.house, answered(CANCEL))
    done = fleet.run("task", "undo", task_id, "--reason", "客户来电", "--by", "王芳")
    assert done.exit_code == 0
    again = fleet.run("task", "undo", task_id, "--reason", "客户来电")
    assert "before" in again.stdout
    with fleet.house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    assert review.review_id in done.stdout
    assert review.reason == "undo_requested"


def test_nothing_to_take_back_is_said(fleet: CommandLine) -> None:
    task_id = order_run(fleet.house)
    refused = fleet.run("task", "undo", task_id, "--reason", "客户来电")
    assert (refused.exit_code, "nothing was changed" in refused.stderr) == (1, True)
    assert fleet.run("task", "undo", "HT-none", "--reason", "x").exit_code == 1
    assert fleet.run("task", "undo", task_id, "--reason", " ").exit_code == 2
