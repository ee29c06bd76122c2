"""An emergency stop holds everything that is queued, and nothing begins that was not begun before it."""

import threading
from collections.abc import Iterator

import pytest

from schemas.orders.contact import Channel
from storage.access.system_audit import SystemAudit
from tasks.orders.people.barring import lift_stop, stop_contacts
from tests.support.factories import READY, answered, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import Watched, accepted, contact_step, wake
from tests.support.probe import Probe

BY = {"reason": "线路故障", "by": "王芳"}


@pytest.fixture
def line() -> Watched:
    return Watched()


@pytest.fixture
def watched(database_url: str, line: Watched) -> Iterator[InProcessFleet]:
    house = InProcessFleet.build(database_url, gateway=line)
    yield house
    house.close()


def test_what_is_queued_already_is_held_and_goes_on_when_the_stop_is_lifted(
    watched: InProcessFleet, line: Watched
) -> None:
    tasks = [accepted(watched, f"1390000000{n}") for n in range(5)]
    assert watched.wire.messages
    stop, is_new = stop_contacts(watched.database, channel=None, region=None, **BY)
    assert is_new
    watched.run()
    assert line.keys == []
    step = contact_step(watched, tasks[0])
    assert (step["state"], step["due_clock"]) == ("scheduled", "database")
    assert step["error"]["why"] == [{"code": "contact_stopped", "params": {"said": "线路故障"}}]
    lift_stop(watched.database, stop.stop_id, by="王芳")
    wake(watched)
    watched.run()
    assert {watched.order(task_id).status for task_id in tasks} == {"closed"}
    assert len(line.keys) == 5


def test_a_stop_of_a_channel_lets_the_others_go_on(watched: InProcessFleet) -> None:
    stop_contacts(watched.database, channel=Channel.SMS, region=None, **BY)
    by_phone = accepted(watched, "13900000001")
    by_text = accepted(watched, "13900000002", silent("invalid_number"), answered(READY))
    watched.run()
    watched.leap()
    watched.run()
    assert watched.order(by_phone).status == "closed"
    assert contact_step(watched, by_text)["error"]["why"][0]["code"] == "contact_stopped"


@pytest.mark.parametrize(
    ("region", "held"),
    [("上海市浦东新区", True), ("上海市", True), ("上海市静安区", False), ("北京市", False)],
)
def test_a_stop_of_a_region_holds_the_orders_whose_region_begins_so(
    watched: InProcessFleet, region: str, held: bool
) -> None:
    stop_contacts(watched.database, channel=None, region=region, **BY)
    inside = accepted(watched, "13900000001", region="上海市浦东新区")
    nowhere = accepted(watched, "13900000002")
    watched.run()
    assert watched.order(inside).status == ("contacting" if held else "closed")
    assert watched.order(nowhere).status == "closed"


def test_a_manual_order_is_held_too(watched: InProcessFleet, line: Watched) -> None:
    stop_contacts(watched.database, channel=None, region=None, **BY)
    task_id = accepted(watched, "13900000001")
    Probe(watched.database).write("UPDATE tasks SET mode = 'manual'")
    watched.run()
    assert line.keys == []
    assert contact_step(watched, task_id)["error"]["why"][0]["code"] == "contact_stopped"


def test_the_same_stop_again_is_the_one_that_holds(watched: InProcessFleet) -> None:
    first, _ = stop_contacts(watched.database, channel=Channel.SMS, region=None, **BY)
    again, is_new = stop_contacts(watched.database, channel=Channel.SMS, region=None, **BY)
    other, is_other = stop_contacts(watched.database, channel=None, region=None, **BY)
    assert (again.stop_id, is_new, is_other) == (first.stop_id, False, True)
    assert lift_stop(watched.database, other.stop_id, by="x")[1]
    assert not lift_stop(watched.database, other.stop_id, by="x")[1]
    with watched.database.transaction() as work:
        lines = [(entry.what, entry.actor) for entry in SystemAudit(work).recent()]
    assert lines == [("contact_stop_lifted", "x"), ("contact_stopped", "王芳"), ("contact_stopped", "王芳")]


def test_after_a_stop_nothing_is_sent_whose_intent_was_not_committed_before(database_url: str) -> None:
    lines = [Watched() for _ in range(3)]
    houses = [
        InProcessFleet.build(database_url, gateway=line, largest_batch=4, contacts_at_once=4)
        for line in lines
    ]
    for place, house in enumerate(houses):
        for number in range(20):
            accepted(house, f"138{place:04}{number:04}")
    under_way = threading.Event()
    committed: set[str] = set()

    def send(house: InProcessFleet) -> None:
        def execute(message: object) -> None:
            house.execute(message)  # type: ignore[arg-type]
            under_way.set()

        house.wire.deliver(execute)

    def stop() -> None:
        assert under_way.wait(180)
        stop_contacts(houses[0].database, channel=None, region=None, **BY)
        committed.update(Probe(houses[0].database).values("SELECT key FROM contact_logs"))

    threads = [threading.Thread(target=send, args=(house,)) for house in houses]
    threads.append(threading.Thread(target=stop))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    houses[0].run()
    sent = [key for line in lines for key in line.keys]
    assert sent
    assert len(sent) == len(set(sent)) < 60
    assert set(sent) <= committed
    for house in houses:
        house.close()
