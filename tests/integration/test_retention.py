"""What has been kept long enough goes, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from runtime.settings import PROJECT
from schemas.core.configuration import PolicyFileError
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import InboxState
from storage.access.idempotency import IdempotencyKeys
from storage.access.system_audit import SystemAudit
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.engine.triggers.inbox import DispatchResult, Inbox, NewInboxEntry
from storage.orders.contacts.callbacks import Callbacks, NewCallback
from storage.orders.labels import Labels, NewLabel
from storage.orders.signals import NewSignal, Signals
from storage.outbound.artifacts import Artifacts
from storage.outbound.subscribers import Subscribers
from storage.people.rejects import NewReject, Rejects
from tasks.flows.general import accept
from tasks.forms import EntryPoint, NewTask, Sender
from tasks.orders.upkeep.history import keep_months
from tasks.orders.upkeep.retention import PULSE, counted, due, go_on, retain
from tests.support.factories import answered, submission
from tests.support.flows.kept import keep_request_and_report
from tests.support.in_process_fleet import InProcessFleet
from tests.support.outbound.made_artifacts import artifact_of
from tests.support.probe import Probe
from tools.policies.retention import DataKind, load_retention

FAR_BEYOND: Final = 600.0
"""Seconds that only a failure takes."""
KEPT: Final = load_retention(PROJECT / "config" / "policies" / "retention.yaml")
AGED: Final = (
    "UPDATE tasks SET finished_at = finished_at - interval '2 years'",
    "UPDATE contact_logs SET contact_time = contact_time - interval '2 years'",
    "UPDATE callbacks SET received_at = received_at - interval '2 years'",
    "UPDATE signals SET received_at = received_at - interval '2 years'",
    "UPDATE rejects SET handled_at = handled_at - interval '2 years'",
    "UPDATE intent_labels SET labelled_at = labelled_at - interval '2 years'",
    "UPDATE runs SET finished_at = finished_at - interval '2 years'",
    "UPDATE artifacts SET expires_at = expires_at - interval '2 years'",
    "UPDATE inbox SET ended_at = ended_at - interval '2 years'",
    "UPDATE idempotency_keys SET created_at = created_at - interval '2 years'",
    "UPDATE deliveries SET ended_at = ended_at - interval '2 years'",
    "UPDATE notices SET created_at = created_at - interval '2 years'",
    "UPDATE forgotten_numbers SET forgotten_at = forgotten_at - interval '2 years'",
    "UPDATE events SET created_at = created_at - interval '2 years'",
)


def keep_one_of_each(work: UnitOfWork, task_id: str) -> None:
    """Something of every kind that an order does not leave by itself."""
    Callbacks(work).keep([NewCallback(provider="p", event_id="e", key="k", body="{}")])
    Signals(work).keep(
        NewSignal(
            task_id=task_id,
            signal_id="s",
            type="customer_called",
            body="{}",
            digest=b"d",
            outcome="applied",
            status="closed",
            effect="",
            sent_by="me",
        )
    )
    Rejects(work).keep([NewReject(source="http", task_id=None, payload=name, problems=[]) for name in "ab"])
    Rejects(work).mark_dismissed(Rejects(work).recent()[0].reject_id, by="me")
    label = NewLabel(
        task_id=task_id,
        contact_id=None,
        words="再说吧",
        predicted_level2="配件未到",
        confidence=0.5,
        automatic=False,
        model="m",
        level2="配件未到",
        source="review",
        labelled_by="me",
    )
    Labels(work).keep([label])
    IdempotencyKeys(work).begin("me", "k", b"d")
    done, _ = Inbox(work).add(
        [NewInboxEntry(kind=TriggerKind.EVENT, name=name) for name in ("done", "waiting")]
    )
    Inbox(work).end({done.entry_id: (InboxState.TAKEN, DispatchResult())})
    subscriber_id = Subscribers(work).add("https://example.com/", "secret", ["task.closed"])
    work.connection.exec_driver_sql(
        "INSERT INTO deliveries (delivery_id, subscriber_id, event_id, event_type, payload, state, due_at, ended_at) "
        "VALUES ('m1', %s, 1, 'task.closed', '{}', 'delivered', clock_timestamp(), clock_timestamp()), "
        "('m2', %s, 2, 'task.closed', '{}', 'waiting', clock_timestamp(), NULL)",
        (subscriber_id, subscriber_id),
    )
    work.connection.exec_driver_sql(
        "INSERT INTO notices (key, to_role, title, text, state) VALUES "
        "('n1', 'operator', 'title', 'text', 'sent'), ('n2', 'operator', 'title', 'text', 'waiting')"
    )
    work.connection.exec_driver_sql("INSERT INTO forgotten_numbers (phone_index) VALUES ('mark')")
    run_id = work.connection.exec_driver_sql("SELECT run_id FROM runs WHERE subject_id IS NULL").scalar_one()
    keep_request_and_report(work, run_id)
    Artifacts(work).keep(
        [artifact_of("exec_of_the_order", BusinessClock(work).now().business_now + timedelta(days=1))]
    )


@pytest.fixture
def furnished(house: InProcessFleet) -> InProcessFleet:
    """A closed order, general work that has ended, and one of everything."""
    given = submission(answered(), metadata={"customer_name": "张三丰"})
    house.accept(given)
    task = NewTask(
        task_type="triage.classify_text", description="读", parameters={"text": "再说吧"}, sender=Sender("me")
    )
    accept(house.engine, [task], EntryPoint.HTTP)
    house.run()
    with house.database.transaction() as work:
        keep_one_of_each(work, given.body.task_id)
        work.connection.exec_driver_sql("UPDATE contact_logs SET recording_url = 'https://example.com/1'")
    return house


def age(house: InProcessFleet) -> None:
    with house.database.transaction() as work:
        for statement in AGED:
            work.connection.exec_driver_sql(statement)
    # The rows that were dated back are of months that there were not; a round begins with that.
    keep_months(house.database)


def values(house: InProcessFleet, statement: str) -> list[object]:
    return list(Probe(house.database).values(statement))


def test_nothing_goes_before_its_time(furnished: InProcessFleet) -> None:
    assert set(counted(furnished.database, KEPT).values()) == {0}
    assert set(retain(furnished.database, KEPT).values()) == {0}


def test_everything_of_every_kind_goes_after_its_time(furnished: InProcessFleet) -> None:
    age(furnished)
    expected = counted(furnished.database, KEPT)
    assert all(expected.values()), expected
    assert retain(furnished.database, KEPT) == expected
    assert set(counted(furnished.database, KEPT).values()) == {0}
    assert values(furnished, "SELECT transcript FROM contact_logs") == [None]
    assert values(furnished, "SELECT personal FROM tasks") == [None]
    assert values(furnished, "SELECT octet_length(body) FROM callbacks WHERE event_id = 'e'") == [0]
    assert not values(furnished, "SELECT 1 FROM steps WHERE strpos(input::text, 'enc1.') > 0")
    assert not values(
        furnished,
        "SELECT 1 FROM http_requests UNION ALL SELECT 1 FROM reports UNION ALL SELECT 1 FROM artifacts",
    )


def test_what_still_waits_is_kept_however_old(furnished: InProcessFleet) -> None:
    age(furnished)
    retain(furnished.database, KEPT)
    assert values(furnished, "SELECT delivery_id FROM deliveries") == ["m2"]
    assert values(furnished, "SELECT key FROM notices") == ["n2"]
    assert values(furnished, "SELECT name FROM inbox") == ["waiting"]
    assert values(furnished, "SELECT state FROM rejects WHERE payload <> ''") == ["open"]
    with furnished.database.transaction() as work:
        assert "" in {reject.payload for reject in Rejects(work).recent()}


def test_words_of_an_open_order_are_kept_however_old(furnished: InProcessFleet) -> None:
    Probe(furnished.database).write(
        "UPDATE tasks SET status = 'classified', finished_at = NULL, finish_reason = NULL"
    )
    age(furnished)
    retain(furnished.database, KEPT)
    assert values(furnished, "SELECT transcript IS NOT NULL FROM contact_logs") == [True]
    assert values(furnished, "SELECT personal IS NOT NULL FROM tasks") == [True]


def test_a_round_is_due_once_a_day_and_one_that_ran_out_of_time_is_still_due(
    furnished: InProcessFleet,
) -> None:
    assert due(furnished.database)
    assert not go_on(furnished.database, KEPT, seconds=-1.0)
    assert due(furnished.database)
    assert go_on(furnished.database, KEPT, seconds=FAR_BEYOND)
    assert not due(furnished.database)
    Probe(furnished.database).write("UPDATE pulses SET at = at - interval '25 hours' WHERE name = %s", PULSE)
    assert due(furnished.database)


def test_several_that_remove_at_once_remove_each_row_once_and_tell_of_it_once(
    furnished: InProcessFleet,
) -> None:
    age(furnished)
    expected = {kind.value: rows for kind, rows in counted(furnished.database, KEPT).items()}
    with ThreadPoolExecutor(3) as pool:
        rounds = [pool.submit(go_on, furnished.database, KEPT, seconds=FAR_BEYOND) for _ in range(3)]
        assert all(one.result() for one in rounds)
    with furnished.database.transaction() as work:
        told = [Counter(line.detail["rows"]) for line in SystemAudit(work).recent(what="retention")]
    assert sum(told, Counter()) == expected
    assert set(counted(furnished.database, KEPT).values()) == {0}


def test_what_a_round_has_passed_it_does_not_look_at_again(furnished: InProcessFleet) -> None:
    with locked(furnished, "notices"):
        assert not go_on(furnished.database, KEPT, seconds=FAR_BEYOND)
    age(furnished)
    assert go_on(furnished.database, KEPT, seconds=FAR_BEYOND)
    assert values(furnished, "SELECT key FROM notices") == ["n2"]
    assert values(furnished, "SELECT transcript IS NOT NULL FROM contact_logs") == [True]
    assert values(furnished, "SELECT count(*) FROM idempotency_keys") == [1]
    assert go_on(furnished.database, KEPT, seconds=FAR_BEYOND)
    assert set(counted(furnished.database, KEPT).values()) == {0}


def test_a_kind_whose_table_is_locked_keeps_no_other_from_its_turn(furnished: InProcessFleet) -> None:
    age(furnished)
    with locked(furnished, "callbacks"):
        assert not go_on(furnished.database, KEPT, seconds=FAR_BEYOND)
    left = {kind for kind, rows in counted(furnished.database, KEPT).items() if rows}
    assert left == {DataKind.CALLBACKS}


def test_a_round_of_many_calls_is_one_line_of_the_audit_with_all_that_went(
    furnished: InProcessFleet,
) -> None:
    age(furnished)
    expected = {kind.value: rows for kind, rows in counted(furnished.database, KEPT).items()}
    with locked(furnished, "callbacks"):
        assert not go_on(furnished.database, KEPT, seconds=FAR_BEYOND)
    assert go_on(furnished.database, KEPT, seconds=FAR_BEYOND)
    with furnished.database.transaction() as work:
        (line,) = SystemAudit(work).recent(what="retention")
    assert line.detail["rows"] == expected


def test_more_than_one_transaction_removes_goes_in_one_round(furnished: InProcessFleet) -> None:
    with furnished.database.transaction() as work:
        work.connection.exec_driver_sql(
            "INSERT INTO idempotency_keys (agent_id, key, digest, created_at) "
            "SELECT 'me', 'k' || n, 'd', clock_timestamp() - interval '2 years' FROM generate_series(1, 3000) n"
        )
    assert retain(furnished.database, KEPT)[DataKind.IDEMPOTENCY] == 3000


@contextmanager
def locked(house: InProcessFleet, table: str) -> Iterator[None]:
    """Nobody else can use this table."""
    with house.database.transaction() as work:
        work.connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_policy_that_leaves_a_kind_out_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "retention.yaml"
    path.write_text("days: {transcripts: 1}", encoding="utf-8")
    with pytest.raises(PolicyFileError, match="lacks recordings"):
        load_retention(path)


def test_transcripts_are_kept_as_long_as_the_configuration_says() -> None:
    assert KEPT[DataKind.TRANSCRIPTS] == timedelta(days=180)
