"""What was refused goes in again in the form and in the envelope it was sent in (SPEC.md §5)."""

import json
from dataclasses import replace
from typing import Any

from storage.people.rejects import Reject, Rejects
from tasks.flows.general import accept
from tasks.flows.task_batch import accept_batch
from tasks.forms import Acceptance, EntryPoint, NewTask, Sender
from tasks.people.replay import RejectResult
from tests.integration.intake.test_rejected import PHONE, again, kept
from tests.support.factories import payload, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe


def test_an_order_goes_in_again_as_its_sender_sent_it(house: InProcessFleet) -> None:
    first = submission()
    house.accept(first)
    sent = replace(
        submission(order_id=first.body.order_id),
        default_mode="manual",
        timeout_seconds=3600,
        description=f"请致电 {PHONE}",
        created_by="upstream",
    )
    house.accept(sent)
    with house.database.transaction() as work:
        (reject,) = Rejects(work).recent()
    house.run_to_the_end()
    assert again(house, reject).outcome is RejectResult.REPLAYED
    assert house.order(sent.body.task_id).mode == "manual"
    run = Probe(house.database).row(
        "SELECT description, created_by, deadline_at IS NOT NULL AS limited FROM runs WHERE subject_id = %s",
        sent.body.task_id,
    )
    assert tuple(run) == ("请致电 138****8000", "upstream", True)


def test_general_work_that_was_refused_is_corrected_and_begun(house: InProcessFleet) -> None:
    reject = refused_work(house, {"words": "明天可以"})
    right = {"task_type": "triage.classify_text", "description": "读", "parameters": {"text": "明天可以"}}
    handling = again(house, reject, {**right, "task_id": "job-1"})
    assert (handling.outcome, handling.acceptance) == (RejectResult.REPLAYED, Acceptance.ACCEPTED)
    assert handling.reject is not None
    assert handling.reject.replayed_as == "job-1"
    run = Probe(house.database).row("SELECT workflow, created_by FROM runs")
    assert tuple(run) == ("action:triage.classify_text", "upstream")


def test_general_work_that_is_still_wrong_stays_open(house: InProcessFleet) -> None:
    reject = refused_work(house, {"words": "明天可以"})
    handling = again(house, reject)
    assert handling.outcome is RejectResult.INVALID
    assert {problem.field for problem in handling.problems} & {"parameters.text", "parameters.words"}


def test_general_work_under_the_name_of_another_stays_open(house: InProcessFleet) -> None:
    work = NewTask(
        task_type="triage.classify_text", description="读", parameters={"text": "a"}, task_id="job-1"
    )
    accept(house.engine, [work], EntryPoint.HTTP)
    accept(house.engine, [replace(work, priority=9)], EntryPoint.HTTP)
    with house.database.transaction() as unit:
        (reject,) = Rejects(unit).recent()
    handling = again(house, reject)
    assert (handling.outcome, handling.acceptance) == (RejectResult.REFUSED, Acceptance.OTHER_BODY)


def test_a_message_is_never_read_as_general_work(house: InProcessFleet) -> None:
    work = {"task_type": "triage.classify_text", "description": "读", "parameters": {"text": "a"}}
    handling = again(house, kept(house, json.dumps(work)))
    assert handling.outcome is RejectResult.INVALID
    assert "task_type" in {problem.field for problem in handling.problems}


def test_an_order_within_general_work_keeps_the_number_that_came(house: InProcessFleet) -> None:
    order = payload(metadata={"phone": PHONE})
    sent = {"task_type": "pending_task", "description": "挂起", "parameters": order, "timeout_seconds": 60}
    reject = kept(house, json.dumps(sent | {"priority": 11}), EntryPoint.HTTP)
    order["metadata"]["phone"] = "138****8000"
    assert again(house, reject, sent).outcome is RejectResult.REPLAYED
    assert str(house.order(order["task_id"]).phone).endswith(PHONE)


def refused_work(house: InProcessFleet, parameters: dict[str, Any]) -> Reject:
    """General work with these parameters, refused as a part of a batch."""
    sent = {"task_type": "triage.classify_text", "description": "读", "parameters": parameters}
    accept_batch(house.engine, house.forms, [sent], Sender("upstream"), EntryPoint.HTTP)
    with house.database.transaction() as work:
        return Rejects(work).recent(1)[0]
