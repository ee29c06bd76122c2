"""Of a forgotten customer no table keeps a word, whichever column it was written to.

A word that occurs nowhere else is put into every column that can hold text, and is looked for afterwards in every
row. The columns are read from the tables themselves: whoever adds one erases it, or names it here with a reason.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
from sqlalchemy import Column as AnyColumn
from sqlalchemy import LargeBinary, String, Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from schemas.people.effects import AlertRaised
from storage.access.system_audit import SystemAudit
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.arrivals import Arrivals, JoinPlace, NewArrival
from storage.engine.flow.scopes import NewScope, Scopes
from storage.engine.flow.variables import NewWrite, WrittenVariables
from storage.migrations.tables import metadata
from storage.orders.contacts.callbacks import Callbacks, NewCallback
from storage.orders.labels import Labels, NewLabel
from storage.orders.signals import NewSignal, Signals
from storage.outbound.notices import Notices
from storage.outbound.subscribers import Subscribers
from storage.people.alerts import Alerts
from storage.people.answers import Respondent, ReviewAnswers
from storage.people.holds import HeldDecisions, NewHold
from storage.people.rejects import NewReject, Rejects
from tasks.orders.upkeep.erasure import Customer, erase
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, submission
from tests.support.flows.kept import keep_request_and_report
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

MARK: Final = "琥珀窗帘"
CUSTOMER: Final = "CUST-forgotten"

OF_NOBODY: Final = {
    "agents": "outside agents and their machines",
    "api_keys": "keys of agents",
    "audit_seals": "digests of ranges of rows",
    "business_clock": "the clock",
    "contact_stops": "stops of whole channels and regions",
    "definitions": "workflows",
    "figure_feeds": "how far counting has come",
    "figure_pending": "what was counted of a row: numbers",
    "figures": "numbers",
    "engineer_capacity": "regions",
    "idempotency_keys": "answers for a repeated request: encrypted, gone after a day (docs/privacy.md)",
    "run_keys": "by what a second start is known to be the first one",
    "slots": "who has, or waits for, a slot of a limit",
    "subscriptions": "which events a step waits for, by name and key",
    "inbox": "what comes for general workflows, of no order: emptied once it is taken, kept an hour (docs/triggers.md)",
    "leases": "who works on what",
    "notice_roles": "roles of staff",
    "pulses": "when the fleet did what",
    "schedules": "times of workflows",
    "retention_cursors": "how far the removal of old data has come",
    "subscribers": "other systems",
    "users": "people who work here",
    "console_sessions": "when people who work here are logged in",
    "im_identities": "who people who work here are in messengers",
    "forgotten_numbers": "marks under the index key, which name no order",
}
STAYS: Final = {
    **dict.fromkeys(
        (
            "task_id", "order_id", "run_id", "execution_id", "subject_id", "transition_id", "contact_id", "log_id",
            "action_id", "followup_id", "review_id", "alert_id", "reject_id", "signal_id", "delivery_id",
            "subscriber_id", "dispatch_id", "label_id", "entry_id", "lease_id", "event_id", "request_id", "key",
            "provider_id", "around", "artifact_ref", "replayed_as", "report_id", "hold_id", "trace_id",
            "interrupt_id",
        ),
        "an identifier, without which nobody knows what was done",
    ),
    **dict.fromkeys(
        ("agent_id", "created_by", "decided_by", "claimed_by", "handled_by", "sent_by", "labelled_by",
         "added_by", "lifted_by", "actor", "target_agent", "escalated_to", "to_role", "recipient", "engineer_id",
         "key_id", "label", "person", "by"),
        "who did it, or who was told: staff and agents",
    ),
    **dict.fromkeys(
        ("status", "state", "mode", "order_type", "source", "direction", "due_clock", "kind", "severity", "from_state",
         "to_state", "event", "stage", "outcome", "type", "event_type@events", "event_type@deliveries",
         "contact_method", "contact_result", "finish_reason", "action_type", "channel", "node", "queue", "action@steps",
         "workflow", "version", "reason@reviews", "decisions", "wanted", "what", "provider", "script_id",
         "script_version",
         "model", "level2", "predicted_level2", "user_intent_l1", "user_intent_l2", "region", "slot",
         "flow", "name@variable_writes", "ends_as", "migrations",
         "role@reviews", "suggestion", "not_by", "form@reviews", "escalations", "decision@review_answers",
         "decision@held_decisions", "roles@held_decisions", "refusal"),
        "one of a fixed set of words, or configuration",
    ),
    **dict.fromkeys(
        ("digest", "content_digest", "phone_index@do_not_call", "masked", "token_hash"),
        "recognises, and tells nothing in clear",
    ),
    **dict.fromkeys(
        ("path@artifacts", "kind@artifacts", "media_type@artifacts", "sha256@artifacts"),
        "names an artifact and says how it is read; that its content goes is asserted",
    ),
    "title@events": "the code of a title; its words are in the files of titles",
    "phone@tasks": "encrypted, so no word can stand in it; that it goes is asserted",
    "phone_index@tasks": "a mark, which is remembered for late replies; that it goes from the order is asserted",
}  # fmt: skip


def columns(table: Table) -> Iterator[AnyColumn[object]]:
    """Those that can hold a word, and are not named above."""
    for column in table.columns:
        named = {column.name, f"{column.name}@{table.name}"} & STAYS.keys()
        if isinstance(column.type, String | JSONB | LargeBinary | ARRAY) and not named:
            yield column


def marking(column: AnyColumn[object]) -> str:
    """The column as it is after somebody wrote the word there, in SQL."""
    name = f'"{column.name}"'
    match column.type:
        case JSONB():
            told = {"remark": MARK, "confidence": MARK, "flags": [MARK], "reason": {MARK: 1}, MARK: 2}
            return (
                f"{name} = CASE WHEN jsonb_typeof({name}) = 'array' THEN '[\"{MARK}\"]'::jsonb "
                f"ELSE coalesce({name}, '{{}}') || '{json.dumps(told)}'::jsonb END"
            )
        case LargeBinary():
            return f"{name} = convert_to('{MARK}', 'UTF8')"
        case _:
            return f"{name} = '{MARK}'"


def keep_one_of_each(work: UnitOfWork, task_id: str) -> None:
    """Something of every table that these orders do not fill by themselves."""
    run = work.connection.exec_driver_sql
    key = run("SELECT key FROM contact_logs WHERE task_id = %s", (task_id,)).scalar_one()
    Callbacks(work).keep([NewCallback(provider="p", event_id="e", key=key, body="{}")])
    order_run = run("SELECT run_id FROM runs WHERE subject_id = %s", (task_id,)).scalar_one()
    keep_request_and_report(work, order_run)
    Scopes(work).open([NewScope(scope_id=1, run_id=order_run, node="n", around=(), elements=[])])
    Arrivals(work).add([NewArrival(JoinPlace(order_run, 0, "n"), "m", given={})])
    WrittenVariables(work).keep({order_run: {"v": 1}}, [NewWrite(run_id=order_run, name="v", value=1)])
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
    Rejects(work).keep([NewReject(source="http", task_id=task_id, payload="a", problems=[])])
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
    alert = AlertRaised(
        alert_type="note", severity="warning", message="m", task_id=task_id, escalated_to="operator"
    )
    Notices(work).declare(["operator", "engineer"])
    Alerts(work).raise_all([alert])
    SystemAudit(work).write("me", "task.pause", {"task_id": task_id})
    run(
        "INSERT INTO do_not_call (entry_id, phone_index, masked, reason, added_by, task_id) "
        "VALUES ('dnc_1', 'mark', '139****0000', 'r', 'me', %s)",
        (task_id,),
    )
    review_id = run("SELECT max(review_id) FROM reviews").scalar_one()
    ReviewAnswers(work).keep(review_id, "wangfang", "close", "n", {})
    HeldDecisions(work).hold(
        NewHold(
            review_id=review_id,
            key="k",
            decision="close",
            by=Respondent(name="wangfang"),
            payload={"decision": "close"},
            seen=0,
            seconds=8,
        )
    )
    subscriber_id = Subscribers(work).add("https://example.com/", "secret", ["task.closed"])
    run(
        "INSERT INTO deliveries (delivery_id, subscriber_id, event_id, task_id, event_type, payload, due_at) "
        "VALUES ('m1', %s, 1, %s, 'task.closed', '{\"data\": {}}', clock_timestamp())",
        (subscriber_id, task_id),
    )
    run(
        "INSERT INTO dispatches (dispatch_id, step_id, task_id, agent_id, target_agent, action_type) "
        "SELECT 'disp_1', min(step_id), %s, 'a', 'b', 'c' FROM steps",
        (task_id,),
    )


@pytest.fixture
def known(house: InProcessFleet) -> InProcessFleet:
    """Orders of one customer that went every way, with the word in every column that can hold it."""
    scripts = [answered(words) for words in (READY, PARTS_MISSING, CANCEL, "嗯嗯那个什么来着")]
    orders = [submission(script, metadata={"customer_id": CUSTOMER}) for script in scripts]
    for order in orders:
        house.accept(order)
    house.run()
    house.run_to_the_end(3)
    with house.database.transaction() as work:
        keep_one_of_each(work, orders[0].body.task_id)
    with house.database.transaction() as work:
        work.connection.exec_driver_sql(
            "UPDATE tasks SET status = 'closed', finished_at = coalesce(finished_at, clock_timestamp())"
        )
        for table in metadata.sorted_tables:
            changes = ", ".join(marking(column) for column in columns(table))
            if table.name not in OF_NOBODY and changes:
                changed = work.connection.exec_driver_sql(f"UPDATE {table.name} SET {changes}").rowcount
                assert changed, f"no row of {table.name} to write to"
    return house


def holding(house: InProcessFleet, word: str) -> dict[str, int]:
    """In how many rows of each table the word stands."""
    found = {}
    with house.database.transaction() as work:
        for table in metadata.sorted_tables:
            rows = work.connection.exec_driver_sql(
                f"SELECT count(*) FROM {table.name} r WHERE strpos(CAST(r AS text), %s) > 0 "
                "OR strpos(CAST(r AS text), %s) > 0",
                (word, word.encode().hex()),
            )
            found[table.name] = rows.scalar_one()
    return {name: rows for name, rows in found.items() if rows}


def test_no_word_of_a_forgotten_customer_stays_in_any_column(known: InProcessFleet) -> None:
    written = {t.name for t in metadata.sorted_tables if t.name not in OF_NOBODY and list(columns(t))}
    assert set(holding(known, MARK)) == written
    erased = erase(known.engine, known.context.blind_index, Customer(customer_id=CUSTOMER), by="me")
    assert len(erased.task_ids) == 4
    assert holding(known, MARK) == {}


def test_a_forgotten_orders_number_is_gone_and_when_it_went_is_known(known: InProcessFleet) -> None:
    erase(known.engine, known.context.blind_index, Customer(customer_id=CUSTOMER), by="me")
    rows = Probe(known.database).rows("SELECT phone, phone_index, erased_at FROM tasks")
    assert [(row.phone, row.phone_index) for row in rows] == [(None, None)] * 4
    assert all(row.erased_at <= datetime.now(UTC) for row in rows)


def test_what_was_done_stays(known: InProcessFleet) -> None:
    erase(known.engine, known.context.blind_index, Customer(customer_id=CUSTOMER), by="me")
    with known.database.transaction() as work:
        run = work.connection.exec_driver_sql
        kept = run(
            "SELECT DISTINCT name FROM audit_logs, jsonb_object_keys(metadata) AS each(name)"
        ).scalars()
        assert {"contact_id", "user_intent_l2", "step", "result"} <= set(kept)
        intents = run("SELECT DISTINCT metadata ->> 'user_intent_l2' FROM audit_logs").scalars()
        assert {"可上门", "配件未到"} <= set(intents)
        assert run("SELECT count(*) FROM transitions").scalar_one() > 0


def test_a_notice_that_waits_is_not_sent_any_more(known: InProcessFleet) -> None:
    with known.database.transaction() as work:
        assert Notices(work).any_unassigned()
    erase(known.engine, known.context.blind_index, Customer(customer_id=CUSTOMER), by="me")
    with known.database.transaction() as work:
        assert not Notices(work).any_unassigned()
