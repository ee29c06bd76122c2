"""Orders that follow a rule: every Monday until the part arrives, right across changes of the clocks."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.core.language import Language
from schemas.orders.signals import PartArrived
from statemachine.orders.intents import Level2
from statemachine.orders.states import State
from storage.engine.clock import BusinessClock
from storage.orders.order_view import OrderView
from storage.people.reviews import Reviews
from tasks.orders.explain.situation import situation_of
from tasks.orders.explain.status import explain, why
from tasks.orders.inbound.signals import ReceiptResult
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.rules.followup import rule_of
from tasks.people.answers import Decided
from tests.support.factories import PARTS_MISSING, READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import receive_signal, reviews_of

UNCLEAR = "喂？听不清，你说什么"
MONDAYS: Mapping[str, Any] = {
    "cron": "0 10 * * 1",
    "until": {"signal": "part_arrived"},
    "most_rounds": 12,
}
THURSDAY = datetime(2026, 10, 22, 14, 0, tzinfo=UTC)
"""A week and a half before the clocks of New York are set back."""


def ruled(house: InProcessFleet, *later: str, rule: Mapping[str, Any] = MONDAYS, **decision: Any) -> str:
    """An order of a customer in New York whose first words a person takes for a postponement under this rule."""
    with house.database.transaction() as work:
        BusinessClock(work).set(THURSDAY)
    script = [answered(UNCLEAR), *(answered(words) for words in later)]
    order = submission(*script, metadata={"timezone": "America/New_York"})
    house.accept(order)
    house.run()
    task_id = order.body.task_id
    decided = Decision(
        decision="classify",
        decided_by="王芳",
        intent_level2=Level2.PARTS_PENDING,
        followup_rule=rule,
        **decision,
    )
    assert decide(house.engine, house.context, open_review(house, task_id), decided)[0] is Decided.APPLIED
    house.run()
    return task_id


def open_review(house: InProcessFleet, task_id: str) -> str:
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(state="open", task_id=task_id)
    return review.review_id


def next_round(house: InProcessFleet) -> None:
    assert house.leap()
    house.run()


def shown(house: InProcessFleet, task_id: str) -> str:
    """When the customer is contacted next, on their clock."""
    at = house.order(task_id).next_contact_time
    assert at is not None
    return f"{at.astimezone(ZoneInfo('America/New_York')):%a %m-%d %H:%M}"


def test_a_weekly_rule_gives_every_round_its_monday_also_after_the_clocks_were_set_back(
    house: InProcessFleet,
) -> None:
    task_id = ruled(house, PARTS_MISSING, PARTS_MISSING)
    mondays = [shown(house, task_id)]
    for _ in range(2):
        next_round(house)
        mondays.append(shown(house, task_id))
    assert mondays == ["Mon 10-26 10:00", "Mon 11-02 10:00", "Mon 11-09 10:00"]


def test_the_customers_own_date_wins_over_the_rule_for_that_round(house: InProcessFleet) -> None:
    task_id = ruled(house, "我出差了，11月5号再联系我吧", PARTS_MISSING)
    next_round(house)
    if reviews_of(house, task_id)[-1][1] == "open":
        decided = Decision(decision="classify", decided_by="王芳", intent_level2=Level2.CUSTOMER_UNAVAILABLE)
        decide(house.engine, house.context, open_review(house, task_id), decided)
        house.run()
    assert shown(house, task_id).startswith("Thu 11-05")
    next_round(house)
    assert shown(house, task_id) == "Mon 11-09 10:00"


def test_the_part_that_arrives_ends_the_rule_and_brings_the_contact_forward(house: InProcessFleet) -> None:
    task_id = ruled(house, READY)
    receipt = receive_signal(house, task_id, PartArrived())
    assert receipt.result is ReceiptResult.APPLIED
    rule = rule_of(house.order(task_id))
    assert rule is not None
    assert rule.ended_by == "part_arrived"
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"


def test_once_the_part_arrived_the_next_postponement_takes_the_default_days(house: InProcessFleet) -> None:
    task_id = ruled(house, PARTS_MISSING)
    receive_signal(house, task_id, PartArrived())
    house.run()
    order = house.order(task_id)
    assert order.status is State.WAITING_FOLLOWUP
    assert order.next_contact_time is not None
    assert order.last_contact_time is not None
    assert order.next_contact_time - order.last_contact_time < timedelta(days=3, hours=1)


def test_a_rule_whose_count_is_used_gives_way_to_the_default_days(house: InProcessFleet) -> None:
    task_id = ruled(house, PARTS_MISSING, rule={**MONDAYS, "until": {"count": 1}})
    assert shown(house, task_id).startswith("Mon 10-26 10:00")
    next_round(house)
    rule = rule_of(house.order(task_id))
    assert rule is not None
    assert rule.ended_by == "used_up"
    assert shown(house, task_id).startswith("Thu 10-29")


def test_a_rule_has_a_limit_of_rounds_of_its_own(house: InProcessFleet) -> None:
    task_id = ruled(house, *[PARTS_MISSING] * 9, rule={**MONDAYS, "most_rounds": 7})
    for _ in range(7):
        next_round(house)
    assert house.order(task_id).round == 8
    assert reviews_of(house, task_id)[-1] == ("rounds_exhausted", "open")


def test_a_person_may_set_a_new_rule_when_the_old_one_has_led_all_its_rounds(house: InProcessFleet) -> None:
    task_id = ruled(house, *[PARTS_MISSING] * 9, rule={**MONDAYS, "most_rounds": 1})
    next_round(house)
    decided = Decision(
        decision="classify",
        decided_by="王芳",
        intent_level2=Level2.PARTS_PENDING,
        followup_rule={**MONDAYS, "cron": "0 15 * * 5"},
    )
    assert decide(house.engine, house.context, open_review(house, task_id), decided)[0] is Decided.APPLIED
    house.run()
    assert shown(house, task_id) == "Fri 10-30 15:00"


def test_a_time_at_which_nobody_may_be_contacted_is_moved_and_what_was_asked_is_kept(
    database_url: str,
) -> None:
    house = InProcessFleet.build(database_url, contact_policy="standard")
    zone = ZoneInfo("Asia/Shanghai")
    with house.database.transaction() as work:
        BusinessClock(work).set(datetime(2026, 3, 16, 10, 0, tzinfo=zone))
    order = submission(answered(UNCLEAR))
    task_id = order.body.task_id
    house.accept(order)
    house.run()
    night = datetime(2026, 10, 2, 3, 0, tzinfo=zone)
    decided = Decision(
        decision="classify", decided_by="王芳", intent_level2=Level2.PARTS_PENDING, followup_at=night
    )
    decide(house.engine, house.context, open_review(house, task_id), decided)
    house.run()
    after_the_holiday = datetime(2026, 10, 8, 9, 0, tzinfo=zone)
    assert house.order(task_id).next_contact_time == after_the_holiday
    with house.database.transaction() as work:
        situation = situation_of(work, task_id)
        line = next(
            line for line in OrderView(work).audit_lines(task_id) if line["event_type"] == "review_decided"
        )
    assert situation is not None
    until = explain(situation).until
    assert until is not None
    assert until.at == after_the_holiday
    assert datetime.fromisoformat(line["metadata"]["followup_at"]) == night
    house.close()


def test_days_that_a_person_names_win_over_the_rule_of_the_order(house: InProcessFleet) -> None:
    task_id = ruled(house, UNCLEAR)
    next_round(house)
    decided = Decision(
        decision="classify", decided_by="王芳", intent_level2=Level2.PARTS_PENDING, followup_days=2
    )
    decide(house.engine, house.context, open_review(house, task_id), decided)
    house.run()
    assert shown(house, task_id).startswith("Wed 10-28")


def test_a_time_of_the_rule_is_moved_to_the_next_at_which_the_customer_may_be_contacted(
    database_url: str,
) -> None:
    house = InProcessFleet.build(database_url, contact_policy="standard")
    try:
        task_id = ruled(house, rule={**MONDAYS, "cron": "0 3 * * 1"})
        assert shown(house, task_id) == "Mon 10-26 09:00"
    finally:
        house.close()


def test_why_shows_the_rule_in_words(house: InProcessFleet) -> None:
    task_id = ruled(house)
    with house.database.transaction() as work:
        situation = situation_of(work, task_id)
    assert situation is not None
    told = why(situation, Language.ENGLISH)
    assert "At 10:00 on Monday (America/New_York) until the signal part_arrived" in told
    assert "has given a time once" in told
