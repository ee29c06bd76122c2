"""What `unpend review claim` and `release` do, and what they keep others from."""

import pytest

from schemas.access.roles import Role
from tests.support.api.client import key_of, register_person
from tests.support.command_line import CommandLine
from tests.support.factories import submission

WANG, LI = key_of("wangfang"), key_of("lilei")


@pytest.fixture
def fleet(fleet: CommandLine) -> CommandLine:
    """A fleet with two reviewers, each with a key of their own."""
    for login in ("wangfang", "lilei"):
        register_person(fleet.house, login, Role.REVIEWER)
    return fleet


def asked_about(fleet: CommandLine) -> str:
    """The task of an order that a person must look at."""
    order = submission(metadata={"phone": None})
    fleet.house.accept(order)
    return order.body.task_id


def taken_by(fleet: CommandLine, task_id: str) -> str | None:
    found: str | None = fleet.read("review", "show", task_id)["claimed_by"]
    return found


def test_a_review_is_taken_by_name_of_its_task_and_shown_so(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    result = fleet.run("review", "claim", task_id, key=WANG)
    assert result.exit_code == 0, result.stderr
    assert "is taken by wangfang" in result.stdout
    assert "taken by  wangfang" in fleet.run("review", "show", task_id).stdout
    assert "wangfang" in fleet.run("review", "list").stdout


def test_taking_it_again_keeps_it(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, key=WANG)
    again = fleet.run("review", "claim", task_id, key=WANG)
    assert again.exit_code == 0
    assert "is still taken by wangfang" in again.stdout


def test_what_another_has_can_be_neither_taken_nor_given_back_nor_decided(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, key=WANG)
    for command in (
        ("claim", task_id),
        ("release", task_id),
        ("decide", task_id, "--by", "wangfang", "--decision", "close", "--reason", "x"),
    ):
        result = fleet.run("review", *command, key=LI)
        assert result.exit_code == 1
        assert "is taken by wangfang; nothing was changed" in result.stderr
    assert taken_by(fleet, task_id) == "wangfang"


def test_who_has_it_decides_it(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, key=WANG)
    result = fleet.run("review", "decide", task_id, "--decision", "close", "--reason", "x", key=WANG)
    assert result.exit_code == 0, result.stderr


def test_what_is_given_back_is_nobodys(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, key=WANG)
    assert "is given back" in fleet.run("review", "release", task_id, key=WANG).stdout
    assert taken_by(fleet, task_id) is None
    assert "was taken by nobody" in fleet.run("review", "release", task_id).stdout


def test_with_force_it_is_given_back_whoever_has_it(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, key=WANG)
    assert fleet.run("review", "release", task_id, "--force").exit_code == 0
    assert taken_by(fleet, task_id) is None


def test_a_decided_review_can_no_longer_be_taken(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    review_id = fleet.read("review", "show", task_id)["review_id"]
    fleet.run("review", "decide", task_id, "--decision", "close", "--reason", "x")
    result = fleet.run("review", "claim", review_id)
    assert result.exit_code == 1
    assert "is decided; nothing was changed" in result.stderr
