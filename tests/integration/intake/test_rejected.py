"""What was refused is corrected and sent in again, or dismissed; once, and on record (SPEC.md §5)."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.settings import PROJECT
from storage.access.system_audit import SystemAudit
from storage.orders.upkeep.personal_metadata import PersonalMetadata
from storage.people.rejects import MOST_PROBLEMS, NewReject, Reject, Rejects
from tasks.forms import Acceptance, EntryPoint
from tasks.people.payload import shown
from tasks.people.replay import Handling, RejectResult, dismiss, replay
from tests.support.factories import payload, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tools.policies.personal import load_personal

PHONE = "13800138000"
NAME = "张三丰"
PERSONAL = load_personal(PROJECT / "config" / "policies" / "personal.yaml")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("phone"), inner),
    max_leaves=20,
)


def kept(
    house: InProcessFleet, text: str, entry_point: EntryPoint = EntryPoint.QUEUE, task_id: str | None = None
) -> Reject:
    """Something that was refused."""
    problem = {"field": "priority", "message": "is wrong"}
    with house.database.transaction() as work:
        Rejects(work).keep([NewReject(source=entry_point, task_id=task_id, payload=text, problems=[problem])])
        return Rejects(work).recent(1)[0]


def wrong(**changes: Any) -> tuple[dict[str, Any], str]:
    """A valid order, and the text of it with a fault."""
    order = payload(**changes)
    return order, json.dumps({**order, "priority": 11}, ensure_ascii=False)


def again(house: InProcessFleet, reject: Reject, corrected: dict[str, Any] | None = None) -> Handling:
    return replay(house.engine, house.forms, house.context.personal, reject.reject_id, corrected, by="王芳")


def audited(house: InProcessFleet) -> list[tuple[str, str, Any]]:
    with house.database.transaction() as work:
        return [(entry.actor, entry.what, entry.detail) for entry in SystemAudit(work).recent()]


def test_a_corrected_order_is_in_at_the_entry_point_it_came_in_at(house: InProcessFleet) -> None:
    order, text = wrong()
    reject = kept(house, text)
    handling = again(house, reject, order)
    assert (handling.outcome, handling.acceptance) == (RejectResult.REPLAYED, Acceptance.ACCEPTED)
    assert handling.reject is not None
    assert (handling.reject.state, handling.reject.replayed_as) == ("replayed", order["task_id"])
    assert (handling.reject.handled_by, handling.reject.payload) == ("王芳", text)
    assert handling.reject.handled_at is not None
    assert house.order(order["task_id"]).status == "contacting"
    assert source_of(house, order["task_id"]) == "queue"


def source_of(house: InProcessFleet, task_id: str) -> str:
    statement = "SELECT source FROM tasks WHERE task_id = %s"
    return str(Probe(house.database).value(statement, task_id))


def test_what_was_done_is_on_record(house: InProcessFleet) -> None:
    order, text = wrong()
    first, second = kept(house, text), kept(house, text, EntryPoint.STREAM)
    again(house, first, order)
    dismiss(house.database, second.reject_id, by="李雷", reason=f"客户电话 {PHONE}")
    assert audited(house) == [
        ("李雷", "reject_dismissed", {"reject_id": second.reject_id, "reason": "客户电话 138****8000"}),
        (
            "王芳",
            "reject_replayed",
            {
                "reject_id": first.reject_id,
                "task_id": order["task_id"],
                "corrected": True,
                "verdict": "accepted",
            },
        ),
    ]


def test_what_is_still_no_order_stays_open_and_says_why(house: InProcessFleet) -> None:
    order, text = wrong()
    reject = kept(house, text)
    handling = again(house, reject, order | {"order_type": "?"})
    assert handling.outcome is RejectResult.INVALID
    assert [problem.field for problem in handling.problems] == ["order_type"]
    assert again(house, reject).outcome is RejectResult.INVALID
    assert again(house, reject, order).outcome is RejectResult.REPLAYED


def test_an_order_that_was_refused_for_another_goes_in_as_it_came_once_that_is_closed(
    house: InProcessFleet,
) -> None:
    first = submission()
    second = submission(order_id=first.body.order_id)
    house.accept(first)
    house.accept(second)
    with house.database.transaction() as work:
        (reject,) = Rejects(work).recent()
    handling = again(house, reject)
    assert (handling.outcome, handling.acceptance) == (RejectResult.REFUSED, Acceptance.SUBJECT_BUSY)
    assert first.body.task_id in handling.problems[0].message
    house.run_to_the_end()
    assert again(house, reject).outcome is RejectResult.REPLAYED
    assert house.order(second.body.task_id).status == "contacting"


def test_a_refused_replay_leaves_no_further_reject(house: InProcessFleet) -> None:
    first = submission()
    house.accept(first)
    order, text = wrong(order_id=first.body.order_id)
    again(house, kept(house, text), order)
    with house.database.transaction() as work:
        assert len(Rejects(work).recent()) == 1


def test_an_order_that_is_in_already_is_dealt_with(house: InProcessFleet) -> None:
    order, text = wrong()
    house.accept(submission(**order))
    handling = again(house, kept(house, text), order)
    assert (handling.outcome, handling.acceptance) == (RejectResult.REPLAYED, Acceptance.EXISTING)


def test_nothing_is_dealt_with_twice(house: InProcessFleet) -> None:
    order, text = wrong()
    reject = kept(house, text)
    again(house, reject, order)
    assert again(house, reject, payload()).outcome is RejectResult.BEFORE
    assert dismiss(house.database, reject.reject_id, by="x", reason="y").outcome is RejectResult.BEFORE
    assert len(audited(house)) == 1


def test_what_was_dismissed_makes_no_order(house: InProcessFleet) -> None:
    order, text = wrong()
    reject = kept(house, text)
    handling = dismiss(house.database, reject.reject_id, by="x", reason="y")
    assert handling.reject is not None
    assert (handling.reject.state, handling.reject.handled_by) == ("dismissed", "x")
    assert again(house, reject, order).outcome is RejectResult.BEFORE


def test_of_two_corrections_at_once_one_makes_an_order(house: InProcessFleet) -> None:
    _, text = wrong()
    reject = kept(house, text)
    with ThreadPoolExecutor(2) as pool:
        handlings = list(pool.map(lambda order: again(house, reject, order), [payload(), payload()]))
    assert sorted(handling.outcome for handling in handlings) == [RejectResult.BEFORE, RejectResult.REPLAYED]
    assert Probe(house.database).value("SELECT count(*) FROM tasks") == 1


def test_an_unknown_id_is_told_apart(house: InProcessFleet) -> None:
    assert (
        replay(house.engine, house.forms, house.context.personal, "REJ0", None, by="x").outcome
        is RejectResult.UNKNOWN
    )
    assert dismiss(house.database, "REJ0", by="x", reason="y").outcome is RejectResult.UNKNOWN


@pytest.mark.parametrize("broken", ["", "{"], ids=["json", "no json"])
def test_correcting_what_is_shown_keeps_the_number_that_came(house: InProcessFleet, broken: str) -> None:
    order, text = wrong(metadata={"phone": PHONE})
    reject = kept(house, broken + text)
    order["metadata"]["phone"] = "138****8000"
    again(house, reject, order)
    assert str(house.order(order["task_id"]).phone).endswith(PHONE)


def test_another_masked_number_is_taken_as_it_is(house: InProcessFleet) -> None:
    order, text = wrong(metadata={"phone": PHONE})
    order["metadata"]["phone"] = "139****8000"
    again(house, kept(house, text), order)
    assert house.order(order["task_id"]).phone == "139****8000"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"metadata": {"phone": PHONE}}),
        json.dumps({"metadata": {"phone": int(PHONE)}}),
        json.dumps({"metadata": {"phone": "+1 555 010 0000"}}),
        json.dumps({"metadata": {"pending_reason": f"请致电 {PHONE}"}}),
        json.dumps({PHONE: 1}),
        f'{{"metadata": {{"phone": "{PHONE}"',
        '{"metadata": {"phone": "+1 555 010 0000"',
    ],
)
def test_no_number_is_shown_in_clear(text: str) -> None:
    assert PHONE not in shown(text, PERSONAL)
    assert "5550100000" not in shown(text, PERSONAL).replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"metadata": {"customer_name": NAME}}),
        json.dumps([{"site": {"姓名": NAME, "address": {"x": NAME}}}], ensure_ascii=False),
        json.dumps({"body": json.dumps({"Customer Name": NAME})}),
        json.dumps({"body": json.dumps({"姓名": NAME}, ensure_ascii=False)}, ensure_ascii=False),
        json.dumps({"姓名": NAME})[:-3],
        f'{{"metadata": {{"customer_name": "{NAME}"',
        f'{{"metadata": {{"customer_name": "\\"{NAME}", "x": 1',
        f'not json "address" : {NAME}, "x"',
    ],
)
def test_no_personal_field_is_shown_in_clear(text: str) -> None:
    told = shown(text, PERSONAL)
    assert not [form for form in (NAME, NAME[1:], json.dumps(NAME)[1:-1][6:]) if form in told]


def test_a_correction_of_what_was_no_json_keeps_the_personal_values_that_came(house: InProcessFleet) -> None:
    order = payload(metadata={"customer_name": NAME, "contacts": [{"姓名": "李四"}, {"姓名": "王五"}]})
    reject = kept(house, json.dumps(order)[:-1])
    told = shown(reject.payload, PERSONAL) + "}"
    assert NAME not in told
    assert again(house, reject, json.loads(told)).outcome is RejectResult.REPLAYED
    with house.database.transaction() as work:
        # Which of the two names was meant where is not known.
        assert PersonalMetadata(work).of(order["task_id"]) == {"customer_name": NAME}


def test_what_is_shown_is_what_came_where_no_number_is_in_it() -> None:
    text = '{"order_type": "未上门", "n": 1.5, "list": [true, null, "x"]}'
    assert shown(text, PERSONAL) == text


@given(JSON.map(json.dumps) | st.text())
def test_anything_can_be_shown_with_the_number_in_it_masked(text: str) -> None:
    told = shown(f"{text} {PHONE}", PERSONAL)
    assert told.encode().decode() == told
    assert PHONE not in told


@given(st.text(alphabet='{}[]":,\\phone0123456789ud8 \x00', max_size=200))
def test_anything_that_looks_like_json_can_be_shown_with_the_number_in_it_masked(text: str) -> None:
    for given_ in (f"{text} {PHONE}", json.dumps({"given": text, "phone": PHONE})):
        told = shown(given_, PERSONAL)
        assert told.encode().decode() == told
        assert PHONE not in told


def test_a_deeply_nested_text_can_be_shown() -> None:
    assert shown("[" * 100_000, PERSONAL)


def test_of_very_many_problems_the_first_are_kept(house: InProcessFleet) -> None:
    problems = [{"field": f"f{number}", "message": "is not a field"} for number in range(200)]
    with house.database.transaction() as work:
        Rejects(work).keep([NewReject(source="http", task_id=None, payload="{}", problems=problems)])
        (reject,) = Rejects(work).recent()
    assert list(reject.problems) == problems[:MOST_PROBLEMS]


def test_a_list_goes_on_where_its_page_ended(house: InProcessFleet) -> None:
    ids = [kept(house, "{" * number).reject_id for number in range(1, 6)]
    found: list[str] = []
    after = None
    with house.database.transaction() as work:
        while page := Rejects(work).list(after=after, limit=2):
            found += [reject.reject_id for reject in page]
            after = (page[-1].rejected_at, page[-1].reject_id)
    assert found == ids[::-1]


def test_a_list_is_chosen_by_state_and_entry_point(house: InProcessFleet) -> None:
    by_queue, by_stream = kept(house, "{}"), kept(house, "{}", EntryPoint.STREAM)
    dismiss(house.database, by_queue.reject_id, by="x", reason="y")
    with house.database.transaction() as work:
        assert [r.reject_id for r in Rejects(work).list(state="open")] == [by_stream.reject_id]
        assert [r.reject_id for r in Rejects(work).list(source="queue")] == [by_queue.reject_id]
        assert Rejects(work).list(state="open", source="queue") == []
