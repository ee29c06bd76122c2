"""What `unpend submit` takes in, what it refuses, and how it says so."""

import json
from pathlib import Path

import pytest

from fleet.command.orders import submit as submitting
from fleet.command.orders.lines import LONGEST
from storage.orders.figures.figures import Figures
from storage.people.rejects import Rejects
from tests.support.command_line import CommandLine
from tests.support.factories import payload


def line(**changes: object) -> str:
    return json.dumps(payload(**changes), ensure_ascii=False)


def test_valid_orders_are_accepted_and_on_their_way(fleet: CommandLine) -> None:
    orders = [payload(), payload()]
    result = fleet.run("submit", str(fleet.lines(*(json.dumps(order) for order in orders))))
    assert result.exit_code == 0
    assert result.stdout == "2 lines: 2 accepted, 0 already known, 0 rejected\n"
    assert fleet.house.order(orders[0]["task_id"]).status == "contacting"


def test_the_same_file_again_changes_nothing(fleet: CommandLine) -> None:
    file = str(fleet.lines(line()))
    fleet.run("submit", file)
    result = fleet.run("submit", file)
    assert result.exit_code == 0
    assert result.stdout == "1 line: 0 accepted, 1 already known, 0 rejected\n"


def test_standard_input_is_read(fleet: CommandLine) -> None:
    result = fleet.run("submit", "-", given=line() + "\n")
    assert result.exit_code == 0
    assert "1 accepted" in result.stdout


def test_a_file_larger_than_a_batch_is_taken_whole(fleet: CommandLine) -> None:
    lines = [line() for _ in range(submitting.BATCH + 3)]
    result = fleet.run("submit", str(fleet.lines(*lines)))
    assert f"{submitting.BATCH + 3} accepted" in result.stdout


def test_the_priority_goes_to_orders_that_name_none(fleet: CommandLine) -> None:
    plain, urgent = payload(), payload(priority=9)
    fleet.run("submit", "-", "--priority", "2", given=f"{json.dumps(plain)}\n{json.dumps(urgent)}\n")
    assert fleet.house.order(plain["task_id"]).priority == 2
    assert fleet.house.order(urgent["task_id"]).priority == 9


@pytest.mark.parametrize(
    ("faulty", "told"),
    [
        (b"{broken", "is not JSON"),
        (b"[1, 2]", "holds a list and not an object"),
        ("挂起".encode("gbk"), "is not UTF-8"),
        (b"{" + b" " * LONGEST + b"}", "more than the 1,048,576 a line may have"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"task_id": NaN}', "a number that JSON does not have"),
        (b'{"metadata": {"x": 1e999}}', "a number that JSON does not have"),
        (b'{"metadata": {"x": "\\ud800"}}', "half of a surrogate pair"),
        (json.dumps(payload(priority=11)).encode(), "priority: input should be less than or equal to 10"),
        (json.dumps(payload(surprise=1)).encode(), "surprise: is not a field of task.created; move it"),
        (json.dumps(payload(metadata={"x": "a\0b"})).encode(), "metadata: holds a NUL character"),
        (json.dumps(payload(**{"a\0b": 1})).encode(), "ab: is not a field"),
        (json.dumps(payload(task_id="a\0b")).encode(), "task_id: string should match pattern"),
        (json.dumps(payload(task_id="")).encode(), "task_id: string should have at least 1 character"),
    ],
    ids=[
        "broken",
        "list",
        "gbk",
        "long",
        "deep",
        "nan",
        "infinite",
        "surrogate",
        "priority",
        "unknown field",
        "nul",
        "nul in a name",
        "nul in the id",
        "empty id",
    ],
)
def test_a_faulty_line_is_told_and_kept_and_the_others_are_accepted(
    fleet: CommandLine, faulty: bytes, told: str
) -> None:
    result = fleet.run("submit", str(fleet.lines(line(), faulty, line())))
    assert result.exit_code == 1
    assert result.stdout.startswith("3 lines: 2 accepted, 0 already known, 1 rejected")
    (refusal,) = result.stderr.splitlines()
    assert refusal.startswith("line 2")
    assert told in refusal
    with fleet.house.database.transaction() as work:
        (kept,) = Rejects(work).recent()
    assert kept.source == "command"
    assert kept.problems


def test_long_lines_that_are_no_text_are_kept_whole(fleet: CommandLine) -> None:
    line = b"\xff" * 600_000
    result = fleet.run("submit", str(fleet.lines(line, line + b"1", line + b"2")))
    assert result.stdout.startswith("3 lines: 0 accepted, 0 already known, 3 rejected")
    with fleet.house.database.transaction() as work:
        assert {len(kept.payload) for kept in Rejects(work).recent()} == {2_400_000, 2_400_001}


def test_blank_lines_are_passed_over_and_counted_in_the_line_numbers(fleet: CommandLine) -> None:
    result = fleet.run("submit", str(fleet.lines("", line(), "   ", "oops")))
    assert result.stdout.startswith("2 lines: 1 accepted")
    assert result.stderr.startswith("line 4: ")


def test_a_byte_order_mark_is_passed_over(fleet: CommandLine) -> None:
    assert fleet.run("submit", str(fleet.lines(b"\xef\xbb\xbf" + line().encode()))).exit_code == 0


def test_the_same_task_with_another_body_is_rejected_and_told(fleet: CommandLine) -> None:
    order = payload()
    other = {**order, "priority": 10}
    result = fleet.run("submit", str(fleet.lines(json.dumps(order), json.dumps(other))))
    assert result.exit_code == 1
    assert f"line 2, task {order['task_id']}: task_id: is known with another body" in result.stderr


def test_a_second_open_task_of_an_order_is_rejected_and_told(fleet: CommandLine) -> None:
    order = payload()
    second = {**payload(), "order_id": order["order_id"]}
    result = fleet.run("submit", str(fleet.lines(json.dumps(order), json.dumps(second))))
    assert result.exit_code == 1
    assert f"already has an open task, {order['task_id']}; wait until that is closed" in result.stderr


def test_a_file_that_does_not_exist_ends_with_2_and_one_line(fleet: CommandLine) -> None:
    result = fleet.run("submit", str(fleet.data_dir / "absent.jsonl"))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "absent.jsonl cannot be read: No such file or directory" in result.stderr


def test_a_folder_ends_with_2(fleet: CommandLine) -> None:
    assert fleet.run("submit", str(fleet.data_dir)).exit_code == 2


def test_an_empty_file_ends_with_2(fleet: CommandLine) -> None:
    result = fleet.run("submit", str(fleet.lines()))
    assert result.exit_code == 2
    assert "holds no lines" in result.stderr


@pytest.mark.parametrize("start", ["挂起".encode("utf-16"), b"\x1f\x8b\x08", b"PK\x03\x04"])
def test_what_has_no_lines_of_text_ends_with_2_and_one_line(fleet: CommandLine, start: bytes) -> None:
    result = fleet.run("submit", str(fleet.lines(start)))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "it must be JSON Lines in UTF-8" in result.stderr


def test_malformed_lines_raise_one_alert(fleet: CommandLine) -> None:
    fleet.run("submit", str(fleet.lines("{", "[", line())))
    with fleet.house.database.transaction() as work:
        assert Figures(work).alerts().last_hour == 1


def test_a_phone_number_in_a_faulty_line_is_not_printed(fleet: CommandLine, tmp_path: Path) -> None:
    bad = [
        json.dumps(payload(metadata={"phone": "13912345678"}, priority="13912345678")),
        json.dumps(payload(**{"13912345678": 1})),
        json.dumps(payload(task_id="13912345678", order_type="x")),
        "13912345678",
    ]
    result = fleet.run("submit", str(fleet.lines(*bad)))
    assert result.exit_code == 1
    assert "13912345678" not in result.output


def test_without_a_fleet_it_ends_with_3(fleet: CommandLine) -> None:
    (fleet.data_dir / "run.json").unlink()
    assert fleet.run("submit", str(fleet.lines(line()))).exit_code == 3
