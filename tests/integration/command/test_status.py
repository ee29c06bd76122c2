"""What `unpend status` shows, and its exit codes."""

import json
import os
import subprocess
import sys

from tests.support.command_line import CommandLine
from tests.support.factories import payload, silent, submission


def dead_process() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_healthy_fleet_ends_with_0_and_shows_where_its_orders_stand(fleet: CommandLine) -> None:
    fleet.house.accept(submission(), submission(metadata={"phone": None}))
    fleet.house.run()
    found = fleet.read("status")
    assert found["healthy"]
    assert found["tasks"]["closed"] == 1
    assert found["tasks"]["pending"] == 1
    assert found["reviews"] == {"open": 1, "overdue": 0}
    assert found["processes"][0]["alive"]


def test_rows_in_postgresql_and_messages_in_the_broker_are_told_by_queue(fleet: CommandLine) -> None:
    fleet.house.accept(submission(), submission())
    contact = fleet.read("status")["queues"]["contact"]
    assert contact["ready"] + contact["published"] == 2
    sent = [message for message in fleet.house.wire.messages if message.queue == "contact"]
    assert contact["messages"] == len(sent) > 0


def test_the_row_due_next_is_told_for_its_clock(fleet: CommandLine) -> None:
    fleet.house.accept(submission(metadata={"phone": None}))
    (due,) = fleet.read("status")["next_due"]
    assert (due["clock"], due["step"], due["state"]) == ("business", "escalate_human", "parked")


def test_a_process_that_is_gone_ends_with_1_and_is_named(fleet: CommandLine) -> None:
    fleet.write_run_file(processes=[{"name": "tick", "pid": dead_process(), "state": "running"}])
    result = fleet.run("status")
    assert result.exit_code == 1
    assert "PROBLEM: tick is gone" in result.stdout


def test_a_process_that_is_being_restarted_ends_with_1(fleet: CommandLine) -> None:
    fleet.write_run_file(processes=[{"name": "beat", "pid": None, "state": "restarting"}])
    result = fleet.run("status")
    assert result.exit_code == 1
    assert "PROBLEM: beat is restarting" in result.stdout


def test_without_a_fleet_it_ends_with_3_and_one_line(fleet: CommandLine) -> None:
    (fleet.data_dir / "run.json").unlink()
    result = fleet.run("status")
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
    assert "no fleet is running" in result.stderr


def test_a_run_file_that_a_killed_supervisor_left_counts_as_no_fleet(fleet: CommandLine) -> None:
    gone = dead_process()
    fleet.write_run_file(supervisor=gone)
    result = fleet.run("status")
    assert result.exit_code == 3
    assert f"process {gone}, is gone" in result.stderr


def test_a_number_given_to_a_younger_process_is_not_taken_for_the_supervisor(fleet: CommandLine) -> None:
    run_file = fleet.data_dir / "run.json"
    os.utime(run_file, (1_000_000_000, 1_000_000_000))
    assert fleet.run("status").exit_code == 3


def test_a_broken_run_file_ends_with_one_line(fleet: CommandLine) -> None:
    (fleet.data_dir / "run.json").write_text("{not json")
    result = fleet.run("status")
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1


def test_servers_that_are_away_are_problems_and_not_tracebacks(fleet: CommandLine) -> None:
    fleet.take_api_away()
    fleet.write_run_file(
        database_url="postgresql+psycopg://somebody:secret@127.0.0.1:1/unpend",
        broker_url="redis://:secret@127.0.0.1:1/0",
    )
    result = fleet.run("status")
    assert result.exit_code == 1
    assert "PROBLEM: PostgreSQL does not answer" in result.stdout
    assert "PROBLEM: the broker does not answer" in result.stdout
    assert "secret" not in result.output


def test_without_the_api_it_looks_into_the_database(fleet: CommandLine) -> None:
    fleet.house.accept(submission())
    fleet.take_api_away()
    found = fleet.read("status")
    assert found["tasks"]["contacting"] == 1
    assert found["queues"]["contact"]["messages"] == 0


def test_in_a_pipe_the_tables_are_plain(fleet: CommandLine) -> None:
    fleet.house.accept(submission(silent()))
    result = fleet.run("status")
    assert result.exit_code == 0
    assert "contacting" in result.stdout
    assert "│" not in result.stdout
    assert "━" not in result.stdout


def test_no_command_prints_a_phone_number_of_an_order(fleet: CommandLine) -> None:
    order = payload(metadata={"phone": "13912345678", "pending_reason": "请打13912345678"})
    file = fleet.lines(json.dumps(order))
    outputs = [
        fleet.run(*arguments).output
        for arguments in (
            ("submit", str(file)),
            ("status",),
            ("task", "list"),
            ("task", "show", order["task_id"]),
            ("task", "show", order["task_id"], "--json"),
            ("why", order["task_id"]),
        )
    ]
    assert all("13912345678" not in output for output in outputs)
    assert "139****5678" in outputs[3]
