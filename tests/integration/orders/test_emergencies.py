"""Danger in a customer's words: whoever is on duty is told at once, and nothing is carried out."""

from schemas.orders.signals import CustomerCalled
from storage.people.alerts import Alerts
from tests.support.factories import READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import order_run, receive_signal, reviews_of

DANGER = "家里有煤气味，你们明天来修吧"


def emergencies_of(house: InProcessFleet, task_id: str) -> list[tuple[str, str]]:
    with house.database.transaction() as work:
        alerts = Alerts(work).of_task(task_id)
    return [
        (alert["severity"], alert["escalated_to"]) for alert in alerts if alert["alert_type"] == "emergency"
    ]


def test_danger_in_an_answer_alerts_whoever_is_on_duty_and_arranges_no_visit(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(DANGER))
    assert emergencies_of(house, task_id) == [("critical", "duty_manager")]
    assert [state for _, state in reviews_of(house, task_id)] == ["open"]
    assert house.order(task_id).finish_reason is None


def test_danger_told_while_an_order_waits_for_a_person_alerts_whoever_is_on_duty(
    house: InProcessFleet,
) -> None:
    task_id = order_run(house, answered("喂？听不清，你说什么"))
    receive_signal(house, task_id, CustomerCalled(words=DANGER))
    house.run()
    assert emergencies_of(house, task_id) == [("critical", "duty_manager")]


def test_an_ordinary_answer_alerts_nobody(house: InProcessFleet) -> None:
    assert emergencies_of(house, order_run(house, answered(READY))) == []
