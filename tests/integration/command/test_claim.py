"""What `unpend review claim` and `release` do, and what they keep others from."""

from tests.support.command_line import CommandLine
from tests.support.factories import submission


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
    result = fleet.run("review", "claim", task_id, "--by", "王芳")
    assert result.exit_code == 0, result.stderr
    assert "is taken by 王芳" in result.stdout
    assert "taken by  王芳" in fleet.run("review", "show", task_id).stdout
    assert "王芳" in fleet.run("review", "list").stdout


def test_taking_it_again_keeps_it(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, "--by", "王芳")
    again = fleet.run("review", "claim", task_id, "--by", "王芳")
    assert again.exit_code == 0
    assert "is still taken by 王芳" in again.stdout


def test_what_another_has_can_be_neither_taken_nor_given_back_nor_decided(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, "--by", "王芳")
    for command in (
        ("claim", task_id, "--by", "李雷"),
        ("release", task_id, "--by", "李雷"),
        ("decide", task_id, "--by", "李雷", "--decision", "close", "--reason", "x"),
    ):
        result = fleet.run("review", *command)
        assert result.exit_code == 1
        assert "is taken by 王芳; nothing was changed" in result.stderr
    assert taken_by(fleet, task_id) == "王芳"


def test_who_has_it_decides_it(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, "--by", "王芳")
    result = fleet.run("review", "decide", task_id, "--by", "王芳", "--decision", "close", "--reason", "x")
    assert result.exit_code == 0, result.stderr


def test_what_is_given_back_is_nobodys(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, "--by", "王芳")
    assert "is given back" in fleet.run("review", "release", task_id, "--by", "王芳").stdout
    assert taken_by(fleet, task_id) is None
    assert "was taken by nobody" in fleet.run("review", "release", task_id).stdout


def test_with_force_it_is_given_back_whoever_has_it(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    fleet.run("review", "claim", task_id, "--by", "王芳")
    assert fleet.run("review", "release", task_id, "--by", "李雷", "--force").exit_code == 0
    assert taken_by(fleet, task_id) is None


def test_a_decided_review_can_no_longer_be_taken(fleet: CommandLine) -> None:
    task_id = asked_about(fleet)
    review_id = fleet.read("review", "show", task_id)["review_id"]
    fleet.run("review", "decide", task_id, "--decision", "close", "--reason", "x")
    result = fleet.run("review", "claim", review_id)
    assert result.exit_code == 1
    assert "is decided; nothing was changed" in result.stderr
