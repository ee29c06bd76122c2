"""What `unpend why` says of orders that really stand where it says."""

from zoneinfo import ZoneInfo

from schemas.core.form import in_utc
from tests.support.command_line import CommandLine
from tests.support.factories import CANCEL, PARTS_MISSING, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet


def test_an_order_in_its_queue_waits_for_room_or_a_worker(fleet: CommandLine) -> None:
    order = submission()
    fleet.house.accept(order)
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    assert found["wait"] in ("room", "worker")
    assert "first in line" in found["sentences"]


def test_a_second_order_in_the_queue_has_the_first_one_ahead(fleet: CommandLine) -> None:
    first, second = submission(), submission()
    fleet.house.accept(first)
    fleet.house.accept(second)
    assert "1 row ahead of it" in fleet.run("why", "--lang", "en", second.body.task_id).stdout


def test_an_urgent_order_goes_before_one_that_came_first(fleet: CommandLine) -> None:
    usual, urgent = submission(priority=1), submission(priority=10)
    fleet.house.wire.cut = True
    fleet.house.accept(usual)
    fleet.house.accept(urgent)
    assert "first in line" in fleet.run("why", "--lang", "en", urgent.body.task_id).stdout
    assert "1 row ahead of it" in fleet.run("why", "--lang", "en", usual.body.task_id).stdout


def test_a_postponed_order_waits_for_the_time_that_was_agreed(fleet: CommandLine) -> None:
    order = submission(answered(PARTS_MISSING))
    fleet.house.accept(order)
    fleet.house.run()
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    until = fleet.house.order(order.body.task_id).next_contact_time
    assert found["wait"] == "followup"
    assert until is not None
    assert found["until"]["at"] == in_utc(until)
    assert "Then round 2 begins" in found["next"]


def test_a_cancellation_waits_out_its_undo_window(fleet: CommandLine) -> None:
    order = submission(answered(CANCEL))
    fleet.house.accept(order)
    fleet.house.run()
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    assert found["wait"] == "undo_window"
    assert "cancel_order" in found["next"]


def test_an_attempt_in_vain_waits_for_the_gap(fleet: CommandLine, database_url: str) -> None:
    careful = InProcessFleet.build(database_url, contact_policy="standard")
    order = submission(silent())
    careful.accept(order)
    careful.run()
    while fleet.house.order(order.body.task_id).status == "contacting":
        assert fleet.read("why", "--lang", "en", order.body.task_id)["wait"] == "permitted_time"
        assert careful.leap()
        careful.run()
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    careful.close()
    assert found["wait"] == "next_attempt"
    assert "phone: no answer" in found["waiting_for"]
    assert "Then attempt 2 of 4 begins" in found["next"]


def test_an_order_that_cannot_be_called_waits_for_a_person(fleet: CommandLine) -> None:
    order = submission(metadata={"phone": None})
    fleet.house.accept(order)
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    assert found["wait"] == "person"
    assert "任务预校验" in found["waiting_for"]
    assert "close → end" in found["next"]


def test_a_paused_order_waits_for_somebody_to_resume_it(fleet: CommandLine) -> None:
    order = submission()
    fleet.house.accept(order)
    fleet.run("task", "pause", order.body.task_id, "--by", "王芳")
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    assert found["wait"] == "resume"
    assert "paused by operator" in found["waiting_for"]
    assert found["since"]


def test_a_closed_order_waits_for_nothing(fleet: CommandLine) -> None:
    order = submission()
    fleet.house.accept(order)
    fleet.house.run_to_the_end()
    assert "visit_arranged" in fleet.run("why", "--lang", "en", order.body.task_id).stdout


def test_a_leased_row_names_its_holder(fleet: CommandLine) -> None:
    order = submission()
    fleet.house.accept(order)
    message = fleet.house.wire.messages[0]
    engine = fleet.house.engine
    engine.claim(engine.registry.get(message.action), message.keys, "LEASE1")
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    assert found["wait"] == "result"
    assert "at work in test" in found["waiting_for"]


def test_a_row_that_ends_its_workers_becomes_a_question_that_says_so(fleet: CommandLine) -> None:
    order = submission()
    fleet.house.accept(order)
    step_id = fleet.house.steps(order.body.task_id)[-1]["step_id"]
    with fleet.house.database.transaction() as work:
        connection = work.connection
        connection.exec_driver_sql(
            f"UPDATE steps SET state = 'leased', lease_id = 'gone', crashes = 3 WHERE step_id = {step_id}"
        )
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    assert "no longer renews" in found["waiting_for"]
    fleet.house.tick.sweep()
    found = fleet.read("why", "--lang", "en", order.body.task_id)
    assert found["wait"] == "person"
    assert "(interrupted again and again)" in found["waiting_for"]


def test_a_run_is_found_by_its_execution_id(fleet: CommandLine) -> None:
    order = submission()
    fleet.house.accept(order)
    run_id = fleet.house.order(order.body.task_id).run_id
    assert fleet.run("why", "--lang", "en", run_id).exit_code == 0


def test_it_is_said_in_chinese_unless_another_language_is_asked_for(fleet: CommandLine) -> None:
    order = submission(answered(PARTS_MISSING))
    fleet.house.accept(order)
    fleet.house.run()
    said = fleet.run("why", order.body.task_id).stdout
    assert f"{order.body.task_id}（waiting_followup" in said
    assert "在等跟进时间（等待跟进）" in said
    assert "随后开始第 2 轮" in said


def test_an_unknown_task_ends_with_1_and_one_line(fleet: CommandLine) -> None:
    result = fleet.run("why", "--lang", "en", "HT0")
    assert result.exit_code == 1
    assert result.stderr == "unpend: there is no task HT0; `unpend task list` shows the newest\n"


def test_an_order_with_a_zone_of_its_own_is_told_in_it(fleet: CommandLine) -> None:
    order = submission(answered(PARTS_MISSING), metadata={"timezone": "Asia/Urumqi"})
    fleet.house.accept(order)
    fleet.house.run()
    until = fleet.house.order(order.body.task_id).next_contact_time
    assert until is not None
    local = until.astimezone(ZoneInfo("Asia/Urumqi"))
    assert f"{local:%Y-%m-%d %H:%M}" in fleet.run("why", "--lang", "en", order.body.task_id).stdout
