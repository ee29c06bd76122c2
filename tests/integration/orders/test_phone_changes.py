"""A number that upstream corrects is used from the next contact on, and shown nowhere (SPEC.md §6)."""

import pytest

from schemas.orders.signals import CancelledUpstream, PartArrived, PhoneChanged
from storage.orders.signals import Signals
from tasks.orders.inbound.signals import ReceiptResult
from tests.support.factories import PARTS_MISSING, READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import (
    HeldChannel,
    everything_shown,
    order_run,
    receive_signal,
    reviews_of,
    titles,
)

UNCLEAR = "喂？听不清，你说什么"
NUMBER = "13912345678"
STORED = "+8613912345678"


def test_an_order_without_a_usable_number_goes_on_when_it_gets_one(database_url: str) -> None:
    line = HeldChannel()
    house = InProcessFleet.build(database_url, gateway=line)
    task_id = order_run(house, metadata={"phone": None})
    assert reviews_of(house, task_id) == [("not_callable", "open")]
    receipt = receive_signal(house, task_id, PhoneChanged(phone=NUMBER))
    assert (receipt.result, receipt.status) == (ReceiptResult.APPLIED, "contacting")
    assert reviews_of(house, task_id) == [("not_callable", "cancelled")]
    house.run()
    order = house.order(task_id)
    assert (order.phone, order.metadata["phone"]) == (STORED, "139****5678")
    assert line.numbers == [STORED]
    assert titles(house, task_id).count("客户电话已更新, 继续处理") == 1
    house.close()


def test_a_usable_number_does_not_give_attempts_back(house: InProcessFleet) -> None:
    task_id = order_run(house, contact_count=4, metadata={"phone": None})
    receipt = receive_signal(house, task_id, PhoneChanged(phone=NUMBER))
    assert (receipt.result, receipt.status) == (ReceiptResult.APPLIED, "pending")
    assert reviews_of(house, task_id) == [("not_callable", "cancelled"), ("no_attempts_left", "open")]


def test_a_number_that_changes_cuts_no_contact_off_and_is_used_from_the_next_on(database_url: str) -> None:
    line = HeldChannel()
    house = InProcessFleet.build(database_url, gateway=line)
    task_id = order_run(house)
    first = house.order(task_id).phone
    assert receive_signal(house, task_id, PhoneChanged(phone=NUMBER)).result is ReceiptResult.APPLIED
    (step,) = [step for step in house.steps(task_id) if step["state"] == "parked"]
    with house.engine.transaction() as transaction:
        silence = {"type": "deadline"}
        transaction.complete({step["step_id"]: silence})
    house.run()
    while len(line.numbers) < 2:
        assert house.leap()
        house.run()
    assert line.numbers == [first, STORED]
    house.close()


def test_the_number_that_the_order_has_is_answered_as_any_other(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(UNCLEAR), metadata={"phone": NUMBER})
    receipts = [receive_signal(house, task_id, PhoneChanged(phone=one)) for one in (NUMBER, "15000000000")]
    assert {(receipt.result, receipt.effect) for receipt in receipts} == {
        (ReceiptResult.APPLIED, receipts[0].effect)
    }


def test_a_number_is_shown_nowhere(house: InProcessFleet, capfd: pytest.CaptureFixture[str]) -> None:
    waiting = order_run(house, metadata={"phone": None})
    calling = order_run(house, answered(PARTS_MISSING), answered(READY))
    receipts = [receive_signal(house, task_id, PhoneChanged(phone=NUMBER)) for task_id in (waiting, calling)]
    receipts += [
        receive_signal(house, calling, PartArrived(note=f"请打 {NUMBER}")),
        receive_signal(house, calling, CancelledUpstream(reason=f"改打{NUMBER}")),
    ]
    house.run_to_the_end()
    shown = everything_shown(house)
    assert "139****5678" in shown
    assert NUMBER not in shown
    assert NUMBER not in repr(receipts)
    assert NUMBER not in "".join(capfd.readouterr())


def test_a_signal_is_kept_encrypted(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(UNCLEAR))
    receive_signal(house, task_id, PhoneChanged(phone=NUMBER), signal_id="crm-1")
    with house.database.transaction() as work:
        kept = Signals(work).find(task_id, "crm-1")
    assert kept is not None
    assert NUMBER.encode() not in kept.sealed_body.stored
    assert NUMBER in kept.sealed_body.open()
    assert (kept.type, kept.outcome, kept.sent_by) == ("phone_changed", "applied", "operator")
