"""What is refused again and again is kept once, and one alert tells of it (SPEC.md §5)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from schemas.people.effects import AlertRaised
from storage.orders.upkeep.privacy import Privacy
from storage.people.alerts import Alert, AlertFilter, Alerts
from storage.people.rejects import Envelope, NewReject, Reject, Rejects
from tasks.flows import general
from tasks.forms import EntryPoint, NewTask
from tasks.orders.intake.intake import Submission, accept
from tasks.people.rejects import keep
from tasks.people.replay import dismiss
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe


def conflict(house: InProcessFleet) -> Submission:
    """An order under the task_id of another that is in."""
    first = submission()
    house.accept(first)
    return Submission(first.body.model_copy(update={"priority": 9}))


def refuse(house: InProcessFleet, *payloads: str, source: str = "stream") -> None:
    with house.database.transaction() as work:
        keep(work, [NewReject(source=source, task_id=None, payload=text, problems=[]) for text in payloads])


def rejects(house: InProcessFleet) -> list[Reject]:
    with house.database.transaction() as work:
        return list(Rejects(work).recent())


def alerts(house: InProcessFleet) -> list[Alert]:
    with house.database.transaction() as work:
        return Alerts(work).list(AlertFilter(alert_type="intake_rejected"))


def counts(house: InProcessFleet) -> list[object]:
    return [alert.metadata["count"] for alert in alerts(house)]


def told(house: InProcessFleet) -> int:
    found = Probe(house.database).value("SELECT count(*) FROM events WHERE event_type = 'task_rejected'")
    return int(found)


def test_the_same_conflict_again_and_again_is_kept_once_and_counted(house: InProcessFleet) -> None:
    other = conflict(house)
    for _ in range(3):
        house.accept(other, other)
    (kept,) = rejects(house)
    assert kept.times == 6
    assert kept.last_at > kept.rejected_at
    assert counts(house) == [1]
    assert told(house) == 1


def test_many_at_once_are_kept_once(house: InProcessFleet) -> None:
    other = conflict(house)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: house.accept(other), range(20)))
    assert [kept.times for kept in rejects(house)] == [20]
    assert counts(house) == [1]


def test_conflicts_of_general_work_are_folded_and_told_too(house: InProcessFleet) -> None:
    work = NewTask(
        task_type="triage.classify_text", description="读", parameters={"text": "a"}, task_id="job-1"
    )
    general.accept(house.engine, [work], EntryPoint.HTTP)
    for _ in range(3):
        general.accept(house.engine, [replace(work, priority=9)], EntryPoint.HTTP)
    assert [kept.times for kept in rejects(house)] == [3]
    assert counts(house) == [1]


@pytest.mark.parametrize(
    "other",
    [
        NewReject(source="queue", task_id="t", payload="a", problems=[]),
        NewReject(source="stream", task_id="t", payload="b", problems=[]),
        NewReject(source="stream", task_id="t", payload="a", problems=[], envelope=Envelope(created_by="x")),
    ],
    ids=["entry point", "payload", "envelope"],
)
def test_what_differs_is_kept_by_itself(house: InProcessFleet, other: NewReject) -> None:
    with house.database.transaction() as work:
        Rejects(work).keep([NewReject(source="stream", task_id="t", payload="a", problems=[])])
        assert Rejects(work).keep([other]) == 1
    assert len(rejects(house)) == 2


def test_what_was_dealt_with_and_comes_again_is_kept_anew(house: InProcessFleet) -> None:
    refuse(house, "{")
    dismiss(house.database, rejects(house)[0].reject_id, by="x", reason="y")
    refuse(house, "{")
    assert [kept.state for kept in rejects(house)] == ["open", "dismissed"]


def test_what_was_erased_does_not_stand_for_what_comes_again(house: InProcessFleet) -> None:
    refuse(house, "{13800138000")
    with house.database.transaction() as work:
        Privacy(work).erase([], ["13800138000"], [])
    refuse(house, "{13800138000")
    assert [kept.payload for kept in rejects(house)] == ["{13800138000", ""]


def test_what_was_erased_leaves_no_mark_by_which_it_could_be_guessed(house: InProcessFleet) -> None:
    refuse(house, "{13800138000")
    with house.database.transaction() as work:
        (mark,) = work.connection.exec_driver_sql("SELECT digest FROM rejects").scalars()
        Privacy(work).erase([], ["13800138000"], [])
        (erased,) = work.connection.exec_driver_sql("SELECT digest FROM rejects").scalars()
    assert mark is not None
    assert erased is None


def test_what_trickles_in_is_added_to_the_alert_nobody_has_looked_at(house: InProcessFleet) -> None:
    for text in ("a", "b", "c"):
        refuse(house, text)
    (alert,) = alerts(house)
    assert alert.metadata == {"count": 3, "source": "stream"}
    assert "3 条" in alert.message


def test_after_somebody_has_looked_a_new_alert_tells_of_what_is_new(house: InProcessFleet) -> None:
    refuse(house, "a")
    with house.database.transaction() as work:
        Alerts(work).set_status(alerts(house)[0].alert_id, "acknowledged", by="x", note=None)
    refuse(house, "b", "c")
    assert counts(house) == [2, 1]


def test_an_alert_of_yesterday_is_not_silently_added_to(house: InProcessFleet) -> None:
    refuse(house, "a")
    Probe(house.database).write("UPDATE alerts SET raised_at = raised_at - interval '25 hours'")
    refuse(house, "b")
    assert counts(house) == [1, 1]


def test_every_entry_point_has_its_own_alert(house: InProcessFleet) -> None:
    refuse(house, "a")
    refuse(house, "a", source="queue")
    assert sorted(str(alert.metadata["source"]) for alert in alerts(house)) == ["queue", "stream"]


def test_an_alert_an_agent_raised_under_the_same_name_is_left_alone(house: InProcessFleet) -> None:
    metadata = {"source": "stream", "count": "many", "raised_by": "audit_agent"}
    foreign = AlertRaised(alert_type="intake_rejected", severity="info", message="theirs", metadata=metadata)
    with house.database.transaction() as work:
        Alerts(work).raise_all([foreign])
    refuse(house, "a")
    assert sorted(map(str, counts(house))) == ["1", "many"]


def test_orders_refusals_and_the_alert_commit_together(house: InProcessFleet) -> None:
    other = conflict(house)
    good = submission()
    malformed = NewReject(source="stream", task_id=None, payload="{", problems=[])
    accept(house.engine, house.context, [good, other], EntryPoint.STREAM, [malformed])
    writers = Probe(house.database).rows(
        "SELECT xmin::text FROM tasks WHERE task_id = %s UNION SELECT xmin::text FROM rejects "
        "UNION SELECT xmin::text FROM alerts",
        good.body.task_id,
    )
    assert len(rejects(house)) == 2
    assert len(writers) == 1
