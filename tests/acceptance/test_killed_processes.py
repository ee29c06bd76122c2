"""Processes that end without a word, in the middle of what they were doing."""

import signal

import pytest

from tasks.orders.product import ORDERS
from tests.support.fleet.processes import LEASE_SECONDS, STOP_SECONDS
from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import AGREES, NEVER_ANSWERS, orders
from tests.support.waiting import is_alive, wait_until

_CONTACTS = "SELECT count(*) FROM contact_logs"
_TEXTING = "SELECT count(*) FROM contact_logs WHERE contact_method = 'sms' AND status = 'sending'"
_PARKED = "SELECT count(*) FROM steps WHERE state = 'parked'"


@pytest.mark.parametrize("agent", dict.fromkeys(action.queue for action in ORDERS.actions))
def test_a_worker_killed_in_mid_step_changes_no_orders_end(fleet: RunningFleet, agent: str) -> None:
    fleet.provider.arm({"kind": "slow", "seconds": 0.3}, requests=8)
    batch = orders(40, pause=0.5)
    fleet.accept(batch)
    fleet.catch_at_work(agent)
    fleet.kill_process(f"worker-{agent}")
    fleet.carry_to_the_end(batch)


def test_a_child_of_a_workers_pool_killed_in_mid_step_changes_no_orders_end(fleet: RunningFleet) -> None:
    fleet.provider.arm({"kind": "slow", "seconds": 0.3}, requests=16)
    batch = orders(40, pause=0.5)
    fleet.accept(batch)
    for _ in range(2):
        fleet.catch_at_work("contact").kill()
    fleet.carry_to_the_end(batch)


def test_a_worker_killed_while_it_sends_texts_sends_none_twice_and_waits_for_none_for_ever(
    fleet: RunningFleet,
) -> None:
    fleet.provider.arm({"kind": "slow", "seconds": 1}, channel="sms")
    batch = orders(10, scripts=(NEVER_ANSWERS,))
    fleet.accept(batch)
    # Those that have left: reached the provider, and nothing of it is recorded yet.
    wait_until(lambda: fleet.value(_TEXTING), "the intent to send texts is committed", pause=0.005)
    wait_until(
        lambda: fleet.provider.ledger()["keys"] == fleet.value(_CONTACTS), "they have left", pause=0.005
    )
    (child,) = fleet.process("worker-contact").children()
    assert fleet.value(_TEXTING)
    child.kill()
    fleet.carry_to_the_end(batch)


def test_a_worker_frozen_beyond_its_lease_changes_nothing_when_it_goes_on(fleet: RunningFleet) -> None:
    # They are still talking when the lease runs out, and when the frozen one goes on.
    batch = orders(12, scripts=(AGREES,), pause=LEASE_SECONDS + 3.0)
    fleet.provider.arm({"kind": "slow", "seconds": 0.5}, channel="phone")
    fleet.accept(batch)
    frozen = fleet.catch_at_work("contact")
    ids = [order.task_id for order in batch]
    with fleet.beside("worker-contact", "-m", "workers", "contact"):
        wait_until(
            lambda: fleet.value(
                "SELECT count(*) FROM steps WHERE subject_id = ANY(%s) AND crashes > 0 "
                "AND state IN ('parked', 'done')",
                ids,
            ),
            "what the frozen worker held is done by another",
        )
        frozen.resume()
        fleet.carry_to_the_end(batch)


@pytest.mark.parametrize("names", [("tick", "beat"), ("api", "simulator")], ids="-".join)
def test_processes_killed_again_and_again_change_no_orders_end(
    fleet: RunningFleet, names: tuple[str, str]
) -> None:
    batch = orders(40, pause=1.0)
    fleet.accept(batch)
    for name in names * 2:
        fleet.kill_process(name)
    fleet.carry_to_the_end(batch)


def test_an_intake_killed_with_messages_in_its_hands_loses_none(fleet: RunningFleet) -> None:
    batch = orders(40)
    intake = fleet.process("intake")

    def holds_messages() -> bool:
        intake.suspend()
        pending = fleet.broker.xpending("task.created", "unpend")["pending"]
        if pending == 0:
            intake.resume()
        return bool(pending)

    fleet.send(*(order.message for order in batch))
    wait_until(holds_messages, "intake has taken messages and not finished them", pause=0.001)
    fleet.kill_process("intake")
    wait_until(lambda: fleet.broker.xlen("task.created") == 0, "every message is taken in and deleted")
    fleet.carry_to_the_end(batch)


def test_a_killed_supervisor_leaves_no_process_and_its_successor_carries_on(fleet: RunningFleet) -> None:
    batch = orders(40, pause=1.5)
    fleet.accept(batch)
    wait_until(lambda: fleet.value(_PARKED) > 5, "calls are under way")
    left = fleet.kill()
    fleet.start()
    wait_until(lambda: not any(map(is_alive, left)), "the first fleet's processes have ended", seconds=180)
    fleet.carry_to_the_end(batch)


def test_ctrl_c_and_a_terminal_that_is_closed_meanwhile_stop_everything_in_time_and_in_order(
    fleet: RunningFleet,
) -> None:
    batch = orders(20, pause=2.5)
    fleet.accept(batch)
    wait_until(lambda: fleet.value(_PARKED) > 5, "calls are under way")
    assert fleet.stop(signal.SIGINT, signal.SIGHUP) < STOP_SECONDS
    assert fleet.alive() == []
    fleet.start()
    fleet.carry_to_the_end(batch)
