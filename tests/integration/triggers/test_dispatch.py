"""Entries of the inbox begin runs and reach who waits, each once, whatever goes wrong with its neighbours."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from bench.scale.plans import buffers, plan, statements
from engine.begin import Begin
from engine.definitions.states import move
from engine.transaction import Transaction
from engine.triggers.dispatch import InboxDispatcher
from engine.triggers.starting import MOST_DEPTH
from statemachine.workflow.options.sizes import LARGEST_OUTPUT
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import DefinitionEvent, InboxState
from storage.core.unavailable import StorageUnavailable
from storage.engine.due_work import DueWorkLook
from storage.engine.pulses import Pulses
from storage.engine.triggers.inbox import (
    Added,
    Inbox,
    InboxEntry,
    NewInboxEntry,
    PayloadTooLarge,
)
from storage.engine.triggers.kept_messages import MOST_LOOKED_AT, KeptMessages
from storage.people.alerts import Alerts
from storage.people.rejects import Rejects
from tasks.people.replay import RejectResult, replay
from tests.support.engine.general_runs import ScriptedActions
from tests.support.engine.triggered_runs import activate, given_to, runs_of, triggered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until


def event(name: str = "paid", payload: object = None, **more: Any) -> NewInboxEntry:
    return NewInboxEntry(kind=TriggerKind.EVENT, name=name, payload=payload or {}, **more)


def message(name: str = "paid", key: str = "O1", **more: Any) -> NewInboxEntry:
    return NewInboxEntry(kind=TriggerKind.MESSAGE, name=name, key=key, payload={"sum": 3}, **more)


def add(house: InProcessFleet, *entries: NewInboxEntry) -> list[Added]:
    with house.database.transaction() as work:
        return Inbox(work).add(entries)


def dispatched(house: InProcessFleet, *entries: NewInboxEntry, **given: Any) -> list[InboxEntry]:
    """The entries once they are added and dispatched, one for each."""
    added = add(house, *entries)
    found = InboxDispatcher(house.engine, **given).at_once([each.entry_id for each in added])
    return [found[each.entry_id] for each in added]


def problems_of(house: InProcessFleet) -> list[str]:
    with house.database.transaction() as work:
        return [str(problem["message"]) for reject in Rejects(work).list() for problem in reject.problems]


def test_an_event_begins_a_run_of_every_workflow_with_a_trigger_for_it(house: InProcessFleet) -> None:
    activate(
        house, triggered("first", "paid"), triggered("second", {"event": "paid"}), triggered("third", "sent")
    )
    (entry,) = dispatched(house, event(payload={"order": "O1"}))
    assert given_to(house, "first") == given_to(house, "second") == [{"order": "O1"}]
    assert runs_of(house, "third") == []
    assert sorted(entry.result.runs) == sorted(
        run["run_id"] for n in ("first", "second") for run in runs_of(house, n)
    )
    house.run()
    assert runs_of(house, "first")[0]["state"] == "completed"


def test_a_definition_s_own_trigger_is_an_event_like_any_other(house: InProcessFleet) -> None:
    activate(house, triggered("old", trigger="paid"))
    dispatched(house, event())
    assert len(runs_of(house, "old")) == 1


def test_the_event_of_a_product_begins_no_run_without_a_subject(house: InProcessFleet) -> None:
    (entry,) = dispatched(house, event("task.created"))
    assert entry.result.runs == ()
    assert runs_of(house, "pending_task") == []


def test_a_condition_chooses_and_a_template_makes_the_parameters(house: InProcessFleet) -> None:
    activate(
        house,
        triggered(
            "large",
            {
                "event": "paid",
                "if": "event.sum > 10",
                "parameters": {"order": "${event.id}", "twice": "${event.sum * 2}"},
            },
        ),
    )
    dispatched(house, event(payload={"id": "O1", "sum": 9}), event(payload={"id": "O2", "sum": 11}))
    assert given_to(house, "large") == [{"order": "O2", "twice": 22}]
    assert problems_of(house) == []


def test_the_same_id_twice_is_one_entry_and_one_run(house: InProcessFleet) -> None:
    activate(house, triggered("first", "paid"))
    one, two = dispatched(house, event(source_id="E1"), event(source_id="E1", payload={"other": 1}))
    assert one == two
    again = add(house, event(source_id="E1"), event("sent", source_id="E1"), event())
    assert [each.repeated for each in again] == [True, False, False]
    house.run()
    assert len(runs_of(house, "first")) == 2  # E1, and the one without an id


def test_the_same_id_from_two_connections_at_once_begins_one_run(house: InProcessFleet) -> None:
    activate(house, triggered("first", "paid"))
    together = Barrier(4, timeout=180)

    def send(_: int) -> InboxEntry:
        together.wait()
        return dispatched(house, event(source_id="E1"))[0]

    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(send, range(4)))
    (run,) = runs_of(house, "first")
    assert {answer.result.runs for answer in answers} == {(run["run_id"],)}


def test_the_tick_dispatches_what_is_left_in_the_order_in_which_it_came(house: InProcessFleet) -> None:
    activate(house, triggered("first", "paid"))
    add(house, *(event(payload={"n": n}, source_id=f"E{9 - n}") for n in range(9)))
    house.tick.sweep()
    with house.database.transaction() as work:
        entries = Inbox(work).find(range(100))
    order = [entries[entry_id].result.runs[0] for entry_id in sorted(entries)]
    given = {run["run_id"]: run["variables"]["n"] for run in runs_of(house, "first")}
    assert [given[run_id] for run_id in order] == list(range(9))


def test_a_thousand_events_are_begun_in_few_transactions(house: InProcessFleet) -> None:
    activate(house, triggered("first", "paid"))
    entries = dispatched(house, *(event(payload={"n": n}) for n in range(1000)))
    assert {entry.state for entry in entries} == {InboxState.TAKEN}
    assert sorted(given["n"] for given in given_to(house, "first")) == list(range(1000))


def test_a_trigger_that_cannot_be_read_over_an_event_is_refused_and_its_neighbours_begin(
    house: InProcessFleet,
) -> None:
    activate(
        house,
        triggered("sound", "paid"),
        triggered("broken", {"event": "paid", "parameters": {"sum": "${event.sum + 1}"}}),
        triggered("strict", "paid", parameters={"type": "object", "required": ["sum"]}),
        triggered("listed", {"event": "paid", "parameters": ["no object"]}),
    )
    entries = dispatched(
        house, event(payload={"sum": 1}), event(payload={"total": 1}), event(payload={"sum": 2})
    )
    assert [entry.result.refused for entry in entries] == [1, 3, 1]
    assert len(runs_of(house, "sound")) == 3
    assert given_to(house, "broken") == [{"sum": 2}, {"sum": 3}]
    assert given_to(house, "strict") == [{"sum": 1}, {"sum": 2}]
    assert len(problems_of(house)) == 5
    with house.database.transaction() as work:
        alert = Alerts(work).fresh("intake_rejected", "trigger")
    assert alert is not None


def test_what_a_trigger_could_not_begin_is_corrected_and_begun_once(house: InProcessFleet) -> None:
    activate(house, triggered("strict", "paid", parameters={"type": "object", "required": ["sum"]}))
    dispatched(house, event(payload={"total": 1}))
    with house.database.transaction() as work:
        (reject,) = Rejects(work).list()
    corrected = json.loads(reject.payload) | {"parameters": {"sum": 1}}
    done = [
        replay(
            house.engine, house.forms, house.context.personal, reject.reject_id, corrected, by="admin"
        ).outcome
        for _ in range(2)
    ]
    assert done == [RejectResult.REPLAYED, RejectResult.BEFORE]
    assert given_to(house, "strict") == [{"sum": 1}]


def test_an_entry_that_cannot_be_dispatched_is_refused_alone(house: InProcessFleet) -> None:
    activate(house, triggered("first", "paid"))

    def deliver(_: Transaction, entries: Sequence[InboxEntry]) -> Mapping[int, int]:
        if any(entry.key == "bad" for entry in entries):
            raise ValueError("this message harms who reads it")
        return {entry.entry_id: 1 for entry in entries}

    entries = dispatched(house, message(), event(), message(key="bad"), message(), event(), deliver=deliver)
    assert [entry.state.value for entry in entries] == ["taken", "taken", "refused", "taken", "taken"]
    assert len(runs_of(house, "first")) == 2
    assert "harms" in problems_of(house)[0]


def test_a_storage_that_is_away_is_no_fault_of_an_entry(house: InProcessFleet) -> None:
    def deliver(_: Transaction, __: Sequence[InboxEntry]) -> Mapping[int, int]:
        raise StorageUnavailable("away")

    (added,) = add(house, message())
    with pytest.raises(StorageUnavailable):
        InboxDispatcher(house.engine, deliver).round()
    with house.database.transaction() as work:
        assert Inbox(work).find([added.entry_id])[added.entry_id].state is InboxState.WAITING


def test_a_message_nobody_waits_for_is_kept_and_taken_once_by_the_first_who_does(
    house: InProcessFleet,
) -> None:
    (entry,) = dispatched(house, message(source_id="M1"))
    assert (entry.state, entry.result.receivers) == (InboxState.KEPT, 0)
    with house.database.transaction() as work:
        assert KeptMessages(work).match_kept("paid", "O2", 7) is None
        taken = KeptMessages(work).match_kept("paid", "O1", 7)
        assert taken is not None
        assert (taken.entry_id, taken.payload) == (entry.entry_id, {"sum": 3})
        assert KeptMessages(work).match_kept("paid", "O1", 8) is None
        after = Inbox(work).find([entry.entry_id])[entry.entry_id]
    assert (after.state, after.result.receivers, after.payload) == (InboxState.TAKEN, 1, None)
    assert add(house, message(source_id="M1"))[0].repeated


def test_a_kept_message_is_waited_for_by_two_at_once_and_reaches_one(house: InProcessFleet) -> None:
    dispatched(house, message())
    together = Barrier(2, timeout=180)

    def wait_for_it(step_id: int) -> bool:
        together.wait()
        with house.database.transaction() as work:
            return KeptMessages(work).match_kept("paid", "O1", step_id) is not None

    with ThreadPoolExecutor(max_workers=2) as pool:
        assert sorted(pool.map(wait_for_it, (1, 2))) == [False, True]


def test_one_who_begins_to_wait_as_the_message_comes_is_reached(house: InProcessFleet) -> None:
    def deliver(transaction: Transaction, entries: Sequence[InboxEntry]) -> Mapping[int, int]:
        waiting = Pulses(transaction.work).seconds_since("somebody waits") is not None
        return {entry.entry_id: int(waiting) for entry in entries}

    def another_is_held_up() -> bool:
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        with house.database.transaction() as work:
            return bool(work.connection.execute(text(locks)).scalar_one())

    with ThreadPoolExecutor(max_workers=1) as pool:
        with house.database.transaction() as work:
            assert KeptMessages(work).match_kept("paid", "O1", 7) is None
            coming = pool.submit(lambda: dispatched(house, message(), deliver=deliver))
            wait_until(another_is_held_up, "the message waits for who begins to wait")
            Pulses(work).beat("somebody waits")
        (entry,) = coming.result()
    assert (entry.state, entry.result.receivers) == (InboxState.TAKEN, 1)


def test_the_tick_reads_no_more_the_more_messages_are_kept(house: InProcessFleet) -> None:
    looked_at = []
    for more in (MOST_LOOKED_AT, 20_000):
        with house.database.transaction() as work:
            work.connection.exec_driver_sql(
                "INSERT INTO inbox (kind, name, key, occurred_at, expires_at, state, ended_at) "
                "SELECT 'message', 'paid', 'key ' || n, now(), now() + interval '1 hour', "
                f"CASE mod(n, 2) WHEN 0 THEN 'kept' ELSE 'taken' END, now() FROM generate_series(1, {2 * more}) n"
            )
            work.connection.exec_driver_sql("ANALYZE inbox")
            sent = statements(work, lambda work: DueWorkLook(work).look())
            sent += statements(work, lambda work: KeptMessages(work).unmet(("", "")))
            looked_at.append(buffers([plan(work, each, carried_out=True) for each in sent]))
    few, many = looked_at
    assert many < few + 40


def test_a_message_expires_when_its_time_is_over(house: InProcessFleet) -> None:
    short, long = dispatched(house, message(ttl_seconds=0.001), message())
    house.tick.sweep()
    with house.database.transaction() as work:
        found = Inbox(work).find([short.entry_id, long.entry_id])
    assert found[short.entry_id].state is InboxState.EXPIRED
    assert found[short.entry_id].payload is None
    assert found[long.entry_id].state is InboxState.KEPT


def test_a_signal_nobody_waits_for_is_not_kept(house: InProcessFleet) -> None:
    (entry,) = dispatched(house, NewInboxEntry(kind=TriggerKind.SIGNAL, name="stop"))
    assert entry.state is InboxState.TAKEN


def test_a_workflow_that_triggers_itself_ends_at_the_limit_with_a_reason(house: InProcessFleet) -> None:
    activate(house, triggered("endless", "again"))
    depth = 0
    for _ in range(MOST_DEPTH + 5):
        (entry,) = dispatched(house, event("again", depth=depth))
        if not entry.result.runs:
            break
        depth = runs_of(house, "endless")[-1]["depth"] + 1
    assert [run["depth"] for run in runs_of(house, "endless")] == list(range(MOST_DEPTH))
    assert "without end" in problems_of(house)[0]


def test_a_workflow_retired_a_moment_ago_is_begun_by_no_process(
    house: InProcessFleet, bench: ScriptedActions, database_url: str
) -> None:
    elsewhere = InProcessFleet.build(database_url, actions=bench.actions())
    activate(house, triggered("first", "paid"))
    dispatched(elsewhere, event())
    with house.database.transaction() as work:
        move(work, house.engine.definition_rules, "first", "1.0", DefinitionEvent.RETIRE)
    dispatched(elsewhere, event())
    dispatched(house, event())
    assert len(runs_of(house, "first")) == 1
    elsewhere.close()


def test_the_end_of_a_run_begins_what_waits_for_that_end_alone(house: InProcessFleet) -> None:
    activate(
        house,
        triggered("watched"),
        triggered("unwatched"),
        triggered(
            "after",
            {
                "run_ended": {"workflow": "watched", "states": ["failed"]},
                "parameters": {"run": "${event.run_id}"},
            },
        ),
        triggered(
            "always", {"run_ended": {"workflow": "watched"}, "parameters": {"state": "${event.state}"}}
        ),
    )
    ways = [
        {"id": "way", "type": "gateway", "condition": "ok", "next": "fine", "else": "broken"},
        {"id": "fine", "type": "pass"},
        {"id": "broken", "type": "end", "error": "broken"},
    ]
    activate(house, *({"workflow": name, "version": "1", "steps": ways} for name in ("watched", "unwatched")))
    ended = [("watched", True), ("watched", False), ("unwatched", False)]
    with house.engine.transaction() as transaction:
        catalogue, work = transaction.catalogue, transaction.work
        catalogue.forget()
        transaction.begin(
            [
                Begin(
                    run_id=f"exec_{n}",
                    workflow=catalogue.current(work, workflow),
                    variables={"ok": ok},
                    depth=1,
                )
                for n, (workflow, ok) in enumerate(ended)
            ]
        )
    assert given_to(house, "after") == [{"run": "exec_1"}]
    assert sorted(given["state"] for given in given_to(house, "always")) == ["completed", "failed"]
    assert {run["depth"] for run in runs_of(house, "always")} == {2}


def test_an_entry_that_is_too_large_is_refused_before_anything_is_kept(house: InProcessFleet) -> None:
    with pytest.raises(PayloadTooLarge):
        add(house, event(), event(payload={"text": "字" * (LARGEST_OUTPUT // 3)}))
    with house.database.transaction() as work:
        assert Inbox(work).to_dispatch(10) == []


def test_what_has_begun_its_runs_leaves_no_payload_behind(house: InProcessFleet) -> None:
    activate(house, triggered("first", "paid"))
    dispatched(house, event(payload={"phone": "13800130000"}))
    with house.database.transaction() as work:
        assert (
            work.connection.execute(text("SELECT count(*) FROM inbox WHERE payload IS NOT NULL")).scalar_one()
            == 0
        )


def test_private_words_of_an_event_lie_sealed_in_the_run(house: InProcessFleet) -> None:
    schema = {"type": "object", "properties": {"words": {"type": "string", "writeOnly": True}}}
    activate(house, triggered("private", "said", parameters=schema))
    dispatched(house, event("said", payload={"words": "别再打来"}))
    assert given_to(house, "private")[0]["words"].startswith("enc1.")
