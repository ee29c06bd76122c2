"""The `task.created` payload: what is refused is told by field and never by value; when two bodies are one."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.core.examples import read_examples
from schemas.core.free_json import LARGEST_INTEGER, SMALLEST_INTEGER
from schemas.core.problems import problems_of
from schemas.orders.intake import LARGEST_METADATA, TaskCreated

PHONE = "13800138000"
BODY: dict[str, Any] = {
    "task_id": "HT20260313001",
    "order_id": "SO20260313001",
    "order_type": "未上门",
    "contact_count": 0,
    "last_contact_time": "2026-03-13T10:00:00+08:00",
    "metadata": {"customer_id": "CUST001", "phone": PHONE, "pending_reason": "用户要求改约"},
}


def read(**changes: Any) -> TaskCreated:
    return TaskCreated.model_validate(BODY | changes)


def refused(body: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as refusal:
        TaskCreated.model_validate(body)
    return {problem.field: problem.message for problem in problems_of(refusal.value)}


def test_the_seeds_example_is_accepted_masked_phone_and_all() -> None:
    example = read_examples()["TaskCreated"][0]
    assert TaskCreated.model_validate(example).metadata.phone == "138****0000"


def test_a_moment_is_kept_in_utc_whatever_its_offset() -> None:
    moment = read(last_contact_time="2026-03-13T10:00:00+23:00").last_contact_time
    assert moment is not None
    assert moment.isoformat() == "2026-03-12T11:00:00+00:00"


def test_what_is_not_said_has_the_specified_meaning() -> None:
    task = TaskCreated(task_id="HT1", order_id="SO1", order_type="已上门")
    assert (task.contact_count, task.last_contact_time, task.priority, task.mode) == (0, None, 5, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task_id", ""),
        ("task_id", "H" * 33),
        ("task_id", "HT 1"),
        ("task_id", "-HT1"),
        ("task_id", "HT1\n"),
        ("task_id", "任务1"),
        ("task_id", 1),
        ("task_id", None),
        ("order_id", "S" * 33),
        ("order_id", "../SO1"),
        ("order_type", "上门"),
        ("order_type", None),
        ("contact_count", -1),
        ("contact_count", 1001),
        ("contact_count", 1.5),
        ("contact_count", "many"),
        ("last_contact_time", "2026-03-13T10:00:00"),
        ("last_contact_time", "yesterday"),
        ("priority", 0),
        ("priority", 11),
        ("mode", "semi"),
        ("metadata", []),
        ("metadata", {"note": "x" * LARGEST_METADATA}),
        ("metadata", {"note": "a\x00b"}),
        ("metadata", {"no\x00te": 1}),
        ("metadata", {"note": "\ud800"}),
        ("metadata", {"share": float("nan")}),
        ("metadata", {"timezone": "Mars/Olympus"}),
        ("metadata", {"timezone": "../../etc/passwd"}),
    ],
)
def test_each_refusal_names_its_field(field: str, value: object) -> None:
    assert refused(BODY | {field: value}).keys() == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [("phone", "1" * 33), ("customer_id", 7), ("pending_reason", "x" * 501), ("timezone", "x" * 65)],
)
def test_a_refusal_within_the_metadata_names_its_place(field: str, value: object) -> None:
    assert refused(BODY | {"metadata": {field: value}}).keys() == {f"metadata.{field}"}


@pytest.mark.parametrize("field", ["task_id", "order_id", "order_type"])
def test_a_missing_field_is_named(field: str) -> None:
    body = {name: value for name, value in BODY.items() if name != field}
    assert refused(body) == {field: "field required"}


def test_an_unknown_top_level_field_is_refused_by_name() -> None:
    assert refused(BODY | {"colour": "red"}) == {"colour": "is not a field of task.created"}


def test_every_fault_is_told_at_once() -> None:
    faults = refused({"task_id": "", "order_type": "x", "priority": 11, "colour": "red"})
    assert faults.keys() == {"task_id", "order_id", "order_type", "priority", "colour"}


@pytest.mark.parametrize("body", [None, [], "task", 7])
def test_what_is_no_object_is_refused_as_a_whole(body: object) -> None:
    assert refused(body).keys() == {"body"}


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"phone": PHONE * 4}},
        {"metadata": {"phone": PHONE, "timezone": "Mars/Olympus"}},
        {"task_id": f"tel:{PHONE} "},
    ],
)
def test_a_refusal_never_shows_a_phone_number(changes: dict[str, object]) -> None:
    assert PHONE not in str(refused(BODY | changes))


def test_further_metadata_is_kept_as_it_is() -> None:
    task = read(metadata={"region": "华东", "nested": {"deep": [1, None]}})
    assert task.metadata.model_dump(exclude_none=True) == {"region": "华东", "nested": {"deep": [1, None]}}


def test_a_payload_does_not_show_the_phone_when_printed() -> None:
    assert PHONE not in repr(read())


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 5},
        {"mode": None},
        {"contact_count": 0},
        {"metadata": BODY["metadata"] | {"timezone": None}},
        {"metadata": dict(reversed(BODY["metadata"].items()))},
        {"last_contact_time": "2026-03-13T02:00:00Z"},
        {"last_contact_time": "2026-03-13T10:00:00.000+08:00"},
    ],
)
def test_bodies_of_equal_meaning_have_equal_digests(changes: dict[str, Any]) -> None:
    assert read(**changes).digest() == read().digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"task_id": "HT2"},
        {"order_id": "SO2"},
        {"order_type": "已上门"},
        {"contact_count": 1},
        {"last_contact_time": None},
        {"last_contact_time": "2026-03-13T10:00:01+08:00"},
        {"priority": 6},
        {"mode": "auto"},
        {"metadata": {}},
        {"metadata": BODY["metadata"] | {"phone": "13900139000"}},
        {"metadata": BODY["metadata"] | {"region": None}},
        {"metadata": BODY["metadata"] | {"list": [1, 2]}},
    ],
)
def test_bodies_of_different_meaning_have_different_digests(changes: dict[str, Any]) -> None:
    assert read(**changes).digest() != read().digest()


def test_lists_are_told_apart_by_their_order() -> None:
    assert read(metadata={"list": [1, 2]}).digest() != read(metadata={"list": [2, 1]}).digest()


IDENTIFIERS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}\Z")
BODIES = st.fixed_dictionaries(
    {
        "task_id": IDENTIFIERS,
        "order_id": IDENTIFIERS,
        "order_type": st.sampled_from(["未上门", "已上门"]),
    },
    optional={
        "contact_count": st.integers(0, 1000),
        "priority": st.integers(1, 10),
        "mode": st.sampled_from(["auto", "manual", None]),
        "last_contact_time": st.integers(10**9, 4 * 10**9).map(
            lambda seconds: datetime.fromtimestamp(seconds, UTC)
        ),
        "metadata": st.dictionaries(
            st.text("abcxyz", min_size=1, max_size=5),
            st.integers(SMALLEST_INTEGER, LARGEST_INTEGER) | st.booleans() | st.none(),
            max_size=4,
        ),
    },
)


@given(BODIES)
def test_a_payload_survives_the_wire_with_its_digest(body: dict[str, Any]) -> None:
    task = TaskCreated.model_validate(body)
    again = TaskCreated.model_validate_json(task.model_dump_json())
    assert again == task
    assert again.digest() == task.digest()
    assert len(task.digest()) == 32
