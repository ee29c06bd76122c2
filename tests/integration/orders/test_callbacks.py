"""Reports of a channel: early, late, repeated, out of order, and what the channel must be asked about."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.orders.contact import ContactResult
from statemachine.orders.states import State
from statemachine.workflow.states import RunState
from storage.core.database import Database
from storage.orders.contacts.callbacks import Callbacks, NewCallback
from storage.orders.contacts.contacts import Contacts
from tasks.orders.inbound.reports import ReportOutcome
from tests.support.factories import PARTS_MISSING, READY, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.scripted_channel import ScriptedChannel, called, make_due, report_of, tell
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from tools.calendar import Calendar, DayKind, Override
from tools.channels.contract import ContactFound, NotSent, Unknown


@pytest.fixture
def provider() -> ScriptedChannel:
    return ScriptedChannel()


@pytest.fixture
def house(database_url: str, provider: ScriptedChannel) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, gateway=provider)
    yield built
    built.close()


def asked_about(house: InProcessFleet, provider: ScriptedChannel, *, words: str) -> tuple[str, str]:
    """An order whose call ended in the unknown, and whose answer was learned by asking; its id and the call's key."""
    provider.answers = [Unknown("the line went dead")]
    order = submission()
    house.accept(order)
    house.run()
    key = provider.reached[0]
    provider.on_query = ContactFound(f"p-{key}", replace(report_of(key), transcript=words, event_id="asked"))
    make_due(house)
    house.run()
    return order.body.task_id, key


def test_a_call_parks_its_step_until_the_provider_reports(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, key = called(house, provider)
    assert [s["state"] for s in house.steps(task_id) if s["node"] == "step3_contact"] == ["parked"]
    assert tell(house, report_of(key)) == [ReportOutcome.APPLIED]
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"


def test_a_repeated_report_changes_nothing(house: InProcessFleet, provider: ScriptedChannel) -> None:
    task_id, key = called(house, provider)
    assert tell(house, report_of(key), report_of(key)) == [ReportOutcome.APPLIED, ReportOutcome.REPEATED]
    assert tell(house, report_of(key)) == [ReportOutcome.REPEATED]
    house.run()
    assert house.events(task_id).count("user.responded") == 1


def test_a_report_of_no_contact_of_ours_is_told_apart(house: InProcessFleet) -> None:
    assert tell(house, report_of("HT-nobody.1.1")) == [ReportOutcome.UNKNOWN_KEY]


def test_an_answer_after_a_vain_attempt_still_counts(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, key = called(house, provider)
    tell(house, report_of(key, ContactResult.NO_ANSWER))
    assert house.order(task_id).status is State.NO_RESPONSE
    assert tell(house, report_of(key, ContactResult.ANSWERED, "2")) == [ReportOutcome.ANSWERED_LATE]
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"
    assert provider.reached == [key]


def test_an_answer_to_an_earlier_attempt_does_not_move_the_last_contact_back(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, first = called(house, provider)
    tell(house, report_of(first, ContactResult.NO_ANSWER))
    house.run()
    tell(house, report_of(provider.reached[-1], ContactResult.NO_ANSWER))
    second = house.order(task_id).last_contact_time
    assert provider.reached[-1] != first
    assert tell(house, report_of(first, ContactResult.ANSWERED, "2")) == [ReportOutcome.ANSWERED_LATE]
    assert house.order(task_id).last_contact_time == second


def test_a_report_after_a_cancel_is_kept_as_evidence_alone(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, key = called(house, provider)
    run_id = house.order(task_id).run_id
    with house.engine.transaction() as transaction:
        transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="upstream")
    assert tell(house, report_of(key)) == [ReportOutcome.LATE]
    with house.database.transaction() as work:
        (contact,) = Contacts(work).of_task(task_id)
    assert (contact.contact_result, contact.transcript) == ("answered", READY)
    assert house.order(task_id).finish_reason == "cancelled"


def test_what_was_certainly_not_sent_is_sent_again_under_the_same_key(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    provider.answers = [NotSent("the line is busy", 0.01)]
    order = submission()
    house.accept(order)
    while not provider.reached:
        house.run()
    with house.database.transaction() as work:
        (contact,) = Contacts(work).of_task(order.body.task_id)
    assert provider.reached == [contact.key]


def test_an_unknown_outcome_is_asked_about_and_not_sent_again(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, key = asked_about(house, provider, words=READY)
    assert house.order(task_id).finish_reason == "visit_arranged"
    assert (provider.reached, provider.queried) == ([key], [key])


def test_what_was_learned_by_asking_is_no_further_answer_when_it_is_reported_too(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, key = asked_about(house, provider, words=PARTS_MISSING)
    waiting = house.order(task_id)
    assert waiting.status is State.WAITING_FOLLOWUP
    assert tell(house, replace(report_of(key), transcript=PARTS_MISSING)) == [ReportOutcome.LATE]
    assert house.order(task_id) == waiting


def test_further_words_of_one_who_has_answered_are_kept_beside_the_first(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, key = called(house, provider)
    tell(house, replace(report_of(key), transcript=PARTS_MISSING))
    house.run()
    further = report_of(key, event="2")
    assert tell(house, further) == [ReportOutcome.ANSWERED_LATE]
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"
    with house.database.transaction() as work:
        contacts = Contacts(work).of_task(task_id)
    assert [contact.transcript for contact in contacts] == [PARTS_MISSING, READY]


def test_a_report_that_comes_while_the_outcome_is_unknown_settles_it(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    provider.answers = [Unknown("the line went dead")]
    order = submission()
    house.accept(order)
    house.run()
    assert tell(house, report_of(provider.reached[0])) == [ReportOutcome.APPLIED]
    house.run()
    assert house.order(order.body.task_id).finish_reason == "visit_arranged"


def test_a_delivered_text_goes_on_waiting_and_its_reply_counts(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, key = called(house, provider)
    assert tell(
        house,
        report_of(key, ContactResult.DELIVERED),
        report_of(key, ContactResult.ANSWERED, "2"),
    ) == [ReportOutcome.APPLIED, ReportOutcome.APPLIED]
    house.run()
    assert house.order(task_id).finish_reason == "visit_arranged"


def test_where_no_time_is_permitted_within_the_horizon_it_is_looked_for_again_at_its_end(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    task_id, _ = called(house, provider)
    begin = datetime(2026, 3, 16, 9, tzinfo=UTC)
    closed = [Override(begin.date() + timedelta(days=n), DayKind.OFF, "closed") for n in range(9)]
    context = replace(
        house.context,
        policy=replace(house.context.policy, contact_on_holidays=False, horizon_days=7),
        calendar=Calendar(overrides=closed),
    )
    order = house.order(task_id)
    again = context.next_contact(order, begin, [])
    assert again == begin + timedelta(days=7)
    found = context.next_contact(order, again, []).astimezone(context.zone(order))
    assert found.date() == begin.date() + timedelta(days=9)


def test_a_report_that_cannot_be_applied_is_kept_with_an_alert_and_keeps_no_other_from_being_applied(
    house: InProcessFleet, provider: ScriptedChannel
) -> None:
    broken, good = called(house, provider), called(house, provider)
    probe = Probe(house.database)
    probe.write("UPDATE runs SET version = 'gone' WHERE subject_id = %s", broken[0])
    reports = [replace(report_of(key), event_id=key) for _, key in (broken, good)]
    assert tell(house, *reports) == [ReportOutcome.FAULTED, ReportOutcome.APPLIED]
    kept = probe.rows("SELECT key, outcome FROM callbacks ORDER BY key")
    assert {row.key: row.outcome for row in kept} == {broken[1]: "faulted", good[1]: "received"}
    (alert,) = probe.rows("SELECT metadata FROM alerts WHERE alert_type = 'callback_fault'")
    assert alert.metadata["key"] == broken[1]
    house.run()
    assert house.order(good[0]).finish_reason == "visit_arranged"


def test_two_who_keep_the_same_callbacks_wait_for_each_other_in_one_order(house: InProcessFleet) -> None:
    first, second = (NewCallback(provider="p", event_id=event, key="k", body="{}") for event in ("1", "2"))
    with ThreadPoolExecutor(1) as other, house.database.transaction() as work:
        Callbacks(work).keep([first])
        kept_by_the_other = other.submit(keep, house.database, [second, first])
        wait_until(lambda: waiting(house.database), "the other waits for the first")
        # Held by the other, this would wait for one who waits for us.
        assert Callbacks(work).keep([second]) == {"2"}
    assert kept_by_the_other.result() == frozenset()


def keep(database: Database, callbacks: list[NewCallback]) -> frozenset[str]:
    with database.transaction() as work:
        return Callbacks(work).keep(callbacks)


def waiting(database: Database) -> bool:
    """Whether some transaction waits for another one."""
    return bool(Probe(database).value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
