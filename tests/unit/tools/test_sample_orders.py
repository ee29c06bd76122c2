"""The sample orders: valid, fictitious, and of every kind that the fleet must be shown with."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from fleet.simulator.faults import parse_faults
from schemas.orders.contact import ContactResult
from tools.channels.simulated.simulation import parse_entry

FOLDER: Final = Path(__file__).parents[3] / "config" / "samples"
ORDERS: Final[list[dict[str, Any]]] = [
    json.loads(line)
    for file in sorted(FOLDER.glob("*.jsonl"))
    for line in file.read_text("utf-8").splitlines()
]


def results(order: dict[str, Any]) -> list[str]:
    return [entry["result"] for entry in order["metadata"]["simulation"]]


def words(order: dict[str, Any]) -> str:
    return "".join(entry.get("transcript", "") for entry in order["metadata"]["simulation"])


def test_there_are_enough_and_none_twice() -> None:
    assert len(ORDERS) >= 220
    assert len({order["task_id"] for order in ORDERS}) == len(ORDERS)
    assert len({order["order_id"] for order in ORDERS}) == len(ORDERS)


@pytest.mark.parametrize("order", ORDERS, ids=[order["task_id"] for order in ORDERS])
def test_an_order_has_the_fields_of_the_intake(order: dict[str, Any]) -> None:
    assert set(order) == {
        "task_id",
        "order_id",
        "order_type",
        "contact_count",
        "last_contact_time",
        "priority",
        "metadata",
    }
    assert len(order["task_id"]) <= 32
    assert order["order_type"] in {"未上门", "已上门"}
    assert 0 <= order["contact_count"] <= 4
    assert 1 <= order["priority"] <= 10
    assert {"customer_id", "phone", "pending_reason", "simulation"} <= set(order["metadata"])
    for entry in order["metadata"]["simulation"]:
        reaction = parse_entry(entry)
        parse_faults(reaction.fault)
        assert 0.05 <= reaction.delay_seconds <= 0.4
        assert bool(reaction.transcript) == (reaction.result is ContactResult.ANSWERED)


def test_every_number_is_of_the_fictitious_range() -> None:
    phones = [order["metadata"]["phone"] for order in ORDERS]
    assert all(phone.startswith(("1380013", "138****")) and len(phone) == 11 for phone in phones)


def test_no_two_customers_say_the_same() -> None:
    said = [
        entry["transcript"]
        for order in ORDERS
        for entry in order["metadata"]["simulation"]
        if "transcript" in entry
    ]
    assert not [text for text, count in Counter(said).items() if count > 1]


@pytest.mark.parametrize(
    ("kind", "marks", "least"),
    [
        ("ready", ("可以上门", "来装", "来修", "来换"), 60),
        ("parts pending", ("没到", "缺货", "没货", "在路上"), 15),
        ("customer unavailable", ("出差", "没空", "不在家", "外地"), 5),
        ("site not ready", ("装修", "没批", "审批", "通电"), 8),
        ("no longer needed", ("取消", "不修了", "撤"), 20),
        ("unclear", ("听不清", "考虑一下", "转人工"), 3),
        ("complaint or do not contact", ("投诉", "不要再", "别再打"), 4),
        ("wrong number", ("打错了", "不认识"), 2),
        ("injection", ("忽略之前的指令",), 1),
    ],
)
def test_every_kind_of_answer_is_among_them(kind: str, marks: tuple[str, ...], least: int) -> None:
    assert sum(any(mark in words(order) for mark in marks) for order in ORDERS) >= least, kind


def test_every_way_of_not_answering_is_among_them() -> None:
    seen = {result for order in ORDERS for result in results(order)}
    assert {"no_answer", "busy", "rejected", "power_off", "voicemail"} <= seen
    assert {"invalid_number", "suspended_number", "undelivered"} <= seen


@pytest.mark.parametrize("silences", [1, 2, 3])
def test_some_answer_after_so_many_silent_attempts(silences: int) -> None:
    answering = [results(order) for order in ORDERS if "answered" in results(order)]
    assert sum(sequence.index("answered") == silences for sequence in answering) >= 5


def test_some_never_answer() -> None:
    assert sum("answered" not in results(order) and len(results(order)) == 4 for order in ORDERS) >= 10


def test_some_take_several_rounds() -> None:
    assert sum(results(order).count("answered") >= 3 for order in ORDERS) >= 5


def test_some_cannot_be_called_at_all() -> None:
    assert sum(order["contact_count"] == 4 for order in ORDERS) >= 3
    assert sum("*" in order["metadata"]["phone"] for order in ORDERS) >= 3


def test_both_order_types_and_all_priorities_are_among_them() -> None:
    assert min(Counter(order["order_type"] for order in ORDERS).values()) >= 80
    assert {order["priority"] for order in ORDERS} == set(range(1, 11))
