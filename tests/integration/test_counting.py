"""Counting as things happen: the same figures as a look at all of history, each row once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import text

from storage.core.database import Database
from storage.engine.queues import Queues
from storage.orders.figures.feeds import FEEDS, FigureFeed
from storage.orders.figures.figures import Figures
from storage.orders.figures.folding import Folding
from tasks.orders.upkeep.counting import count
from tasks.orders.upkeep.retention import retain
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.recorded_work import order, record_done_step, review, write
from tests.support.scanned_figures import counted, scanned
from tools.policies.retention import DataKind

LONG = 60.0
STARTED = text(
    "INSERT INTO steps (run_id, subject_id, node, state, kind, queue, action, started_at, finished_at) VALUES "
    "('exec_a', 'a', 'node', 'done', 'action', 'contact', 'contact.work', clock_timestamp(), clock_timestamp())"
)


def take_in(house: InProcessFleet) -> None:
    """Orders that go every way: done, waiting, silent, cancelled, misunderstood, without a number."""
    house.accept(
        submission(answered(READY)),
        submission(answered(PARTS_MISSING), answered(READY)),
        submission(silent(), silent("busy"), answered(READY)),
        submission(silent(), silent(), silent(), silent()),
        submission(answered(CANCEL)),
        submission(answered("嗯嗯那个什么来着")),
        submission(metadata={"phone": None}),
    )


def behind(database: Database) -> dict[str, bool]:
    """Whether a feed has rows that were not counted."""
    with database.transaction() as work:
        return {
            feed.name: work.connection.execute(
                text(f"SELECT coalesce(max({feed.position}), 0) > :place FROM {feed.table}"),
                {"place": Folding(work).place(feed)},
            ).scalar_one()
            for feed in FEEDS
        }


def lose_the_leases(house: InProcessFleet) -> None:
    """Let a worker claim what is published and never come back."""
    with house.database.transaction() as work:
        work.connection.execute(
            text(
                "UPDATE steps SET state = 'leased', started_at = clock_timestamp(), lease_id = 'lost' "
                "WHERE state = 'published'"
            )
        )
        assert Queues(work).rescue(3, 100, grace_seconds=0)


def test_what_was_counted_is_what_a_scan_finds_after_failures_retries_and_follow_ups(
    house: InProcessFleet,
) -> None:
    take_in(house)
    count(house.database, seconds=LONG, most=3)
    lose_the_leases(house)
    count(house.database, seconds=LONG, most=3)
    for _ in range(12):
        house.run()
        count(house.database, seconds=LONG, most=50)
        house.leap()
    house.run_to_the_end()
    # The first call goes on where the last one was with what changes yet, and the second one begins anew.
    count(house.database, seconds=LONG)
    count(house.database, seconds=LONG)
    found = scanned(house.database)
    assert {name for name, _ in found} >= {"agent_error", "contact_answered", "processing", "rounds_ended"}
    assert not any(behind(house.database).values())
    assert counted(house.database) == found


def test_before_anything_was_counted_a_read_counts_for_itself(house: InProcessFleet) -> None:
    take_in(house)
    house.run_to_the_end(4)
    assert any(behind(house.database).values())
    assert counted(house.database) == scanned(house.database)


def test_several_that_count_at_once_count_each_row_once(house: InProcessFleet) -> None:
    take_in(house)
    carried = Event()

    def count_all_the_while() -> None:
        while not carried.is_set():
            count(house.database, seconds=LONG, most=3)
        # The first call goes on where the last one was, and the second one begins anew.
        count(house.database, seconds=LONG)
        count(house.database, seconds=LONG)

    with ThreadPoolExecutor(3) as pool:
        counting = [pool.submit(count_all_the_while) for _ in range(3)]
        try:
            house.run_to_the_end()
        finally:
            carried.set()
        for one in counting:
            one.result()
    assert counted(house.database) == scanned(house.database)


class Killed(Exception):
    """The worker that counts ends here."""


def fold_and_end(database: Database, feed: FigureFeed) -> None:
    with database.transaction() as work:
        Folding(work).fold(feed, up_to=1_000_000, most=1_000, again=1_000)
        raise Killed


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_a_count_that_breaks_off_has_counted_nothing_and_the_next_one_counts_once(
    house: InProcessFleet, feed: FigureFeed
) -> None:
    take_in(house)
    house.run_to_the_end(4)
    with pytest.raises(Killed):
        fold_and_end(house.database, feed)
    count(house.database, seconds=LONG, most=5)
    count(house.database, seconds=LONG, most=5)
    assert counted(house.database) == scanned(house.database)


def test_counters_stay_when_retention_removes_what_they_counted(house: InProcessFleet) -> None:
    take_in(house)
    house.run_to_the_end()
    count(house.database, seconds=LONG)
    before = counted(house.database)
    retain(house.database, dict.fromkeys(DataKind, timedelta(0)))
    write(
        house.database,
        "DELETE FROM steps WHERE state IN ('done', 'failed', 'cancelled') AND step_id NOT IN "
        "(SELECT step_id FROM reviews)",
    )
    count(house.database, seconds=LONG)
    assert counted(house.database) == before


def test_an_order_whose_run_ends_later_is_measured_then(database: Database) -> None:
    order(database, "a", "closed", run_ended=False)
    count(database, seconds=LONG)
    assert ("processing", "4") not in counted(database)
    record_done_step(database, "a", 50)
    write(database, "UPDATE runs SET finished_at = clock_timestamp()")
    count(database, seconds=LONG)
    assert counted(database)["processing", "4"] == 1
    assert counted(database)["processing_seconds", ""] == 50


def test_an_order_that_nothing_moves_on_is_found_however_many_are_open(database: Database) -> None:
    for number in range(7):
        order(database, f"a{number}")
    with database.transaction() as work:
        for _ in range(3):
            Folding(work).walk(most=3)
        assert Figures(work).counters().lost() == 7
    write(database, "UPDATE tasks SET status = 'closed', finished_at = business_now()")
    with database.transaction() as work:
        Folding(work).walk(most=3)
        assert Figures(work).counters().lost() == 0


def test_a_row_that_is_committed_after_a_later_one_is_counted(database: Database) -> None:
    order(database, "a")
    count(database, seconds=LONG)
    with database.transaction() as early:
        early.connection.execute(STARTED)
        with database.transaction() as late:
            late.connection.execute(STARTED)
        count(database, seconds=0.0)
    count(database, seconds=LONG)
    assert not any(behind(database).values())
    assert counted(database)["agent_request", "contact"] == scanned(database)["agent_request", "contact"] == 2


def test_questions_are_counted_once_an_order_and_no_more_once_they_are_decided(database: Database) -> None:
    for task_id in ("a", "b"):
        order(database, task_id, "responded")
        review(database, task_id, hours_ago=25)
    review(database, "a")
    for _ in range(3):
        found = counted(database)
        assert found == scanned(database)
        names = ("reviews_open", "reviews_overdue", "orders_in_review")
        assert [found[name, ""] for name in names] == [3, 2, 2]
        count(database, seconds=LONG)
    write(
        database,
        "UPDATE reviews SET state = 'decided' WHERE task_id = 'a' AND opened_at < business_now() - "
        "interval '1 hour'",
    )
    count(database, seconds=LONG)
    count(database, seconds=LONG)
    assert counted(database) == scanned(database)
    write(database, "DELETE FROM reviews")
    count(database, seconds=LONG)
    assert counted(database) == scanned(database)


def test_an_order_that_a_decision_just_closed_is_in_the_ledger_once(database: Database) -> None:
    order(database, "a", "closed")
    review(database, "a")
    with database.snapshot() as work:
        figures, counters = Figures(work), Figures(work).counters()
        ledger = figures.ledger(figures.orders(counters), figures.reviews(counters), counters.lost())
    assert (ledger.closed, ledger.open, ledger.in_review, ledger.unaccounted) == (1, 0, 0, 0)
