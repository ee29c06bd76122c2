"""A notice is made with the alert or the action it tells of, once, and for nobody who is not told."""

import pytest

from storage.core.database import Database
from storage.people.alerts import Alerts
from tests.support.factories import READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.outbound.notice_sender import NoticeSenderAtWork, raised
from tests.support.outbound.webhook_sender import WebhookSenderAtWork


@pytest.fixture
def bureau(database: Database) -> NoticeSenderAtWork:
    return NoticeSenderAtWork(database)


def test_where_nobody_is_told_no_notice_is_kept(bureau: NoticeSenderAtWork) -> None:
    bureau.alert()
    assert bureau.log() == []


def test_a_role_that_is_not_told_leaves_no_notice_beside_one_that_is(bureau: NoticeSenderAtWork) -> None:
    bureau.declare("duty_manager")
    bureau.alert(role="operations")
    key = bureau.alert(role="duty_manager")
    assert [(n.key, n.to_role, n.state) for n in bureau.log()] == [(key, "duty_manager", "waiting")]


@pytest.mark.parametrize(("severity", "number"), [("info", 0), ("warning", 1), ("critical", 1)])
def test_what_is_only_information_calls_nobody(
    bureau: NoticeSenderAtWork, severity: str, number: int
) -> None:
    bureau.declare("duty_manager")
    bureau.alert(severity)
    assert len(bureau.log()) == number


class _Undone(RuntimeError):
    """Ends a transaction without a commit."""


def raise_and_undo(bureau: NoticeSenderAtWork) -> None:
    with bureau.database.transaction() as work:
        Alerts(work).raise_all([raised()])
        raise _Undone


def test_an_alert_that_is_not_committed_has_no_notice(bureau: NoticeSenderAtWork) -> None:
    bureau.declare("duty_manager")
    with pytest.raises(_Undone):
        raise_and_undo(bureau)
    assert bureau.log() == []


def test_what_waits_for_a_role_that_is_not_told_any_more_is_given_up(bureau: NoticeSenderAtWork) -> None:
    bureau.declare("duty_manager", "operations")
    bureau.alert(role="operations")
    kept = bureau.alert(role="duty_manager")
    bureau.declare("duty_manager")
    assert {n.key: n.state for n in bureau.log()}[kept] == "waiting"
    assert bureau.states() == ["given_up", "waiting"]


def test_an_engineer_is_told_once_however_often_the_work_is_delivered(house: InProcessFleet) -> None:
    bureau = NoticeSenderAtWork(house.database)
    bureau.declare("engineer")
    order = submission(answered(READY))
    house.accept(order)
    house.run(deliveries=3)
    (notice,) = bureau.log()
    assert (notice.to_role, notice.state) == ("engineer", "waiting")
    assert notice.recipient is not None
    assert notice.recipient.startswith("ENG-")
    assert order.body.order_id in notice.title


def test_an_order_goes_its_way_where_no_engineer_is_told(house: InProcessFleet) -> None:
    order = submission(answered(READY))
    house.accept(order)
    house.run()
    assert house.order(order.body.task_id).finish_reason == "visit_arranged"
    assert NoticeSenderAtWork(house.database).log() == []
    assert WebhookSenderAtWork(house.database).alerts() == []
