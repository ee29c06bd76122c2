"""The plans of what is read often: no table that grows is read as a whole, and no page is sorted out of it."""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime

import pytest

from bench.scale.filling import Filling, Share
from bench.scale.plans import Plan, Read, buffers, nodes, plan, statements
from bench.scale.reads import reads
from runtime.cipher import Cipher
from runtime.clock import Anchor, Clock
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments
from storage.engine.queues import Queues
from storage.engine.steps import StepKey, Steps
from storage.orders.figures.feeds import FEEDS
from storage.orders.figures.folding import Folding
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.orders.tables import RARE
from storage.orders.upkeep.months import MONTHLY, HistoryMonths, partitioned
from storage.people.reviews import Reviews
from tasks.orders.upkeep.counting import count
from tests.support.agents import QUEUES
from tests.support.factories import PARTS_MISSING, READY, answered, submission
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.months import months_of
from tests.support.servers import Servers

GROWS = {
    "runs", "tasks", "steps", "transitions", "audit_logs", "events", "contact_logs", "actions", "reviews",
    "appointments",
}  # fmt: skip
SMALL = (
    "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' "
    "AND pg_relation_size(oid) <= 32 * current_setting('block_size')::integer"
)
"""Months without a row, or that have only begun: to read some blocks as a whole is no slower."""
SORTED_AT_MOST = 5_000
"""Rows that may be sorted: a page, what is open of one order, a bite of a walk."""
ORDERS = 6_000
PER_DAY = 60
"""So few that the orders came in over more than three months."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)

FLAT = {
    "tasks status created": 10,
    "audit agent, rare": 30,  # some blocks for each month
    "audit event, rare": 30,
    "audit event, seldom": 60,
    "daily budget": 30,
    "day: contacts": 60,  # sixteen at a time
    "day: accepted": 20,
    "day: decided": 20,
    "day: automation": 80,  # the day's own lines
    "exporter: reviews": 20,
    "exporter: counters": 40,
}
"""Reads whose cost does not depend on how many orders there are, nor on what waits, and blocks that are plenty."""


@pytest.fixture(scope="module")
def filled(servers: Servers) -> Iterator[tuple[Database, str]]:
    """Thousands of orders, closed, waiting and in review; and one of them."""
    url = servers.new_database()
    house = InProcessFleet.build(url)
    shares = []
    for hundredths, words in ((60, READY), (30, PARTS_MISSING), (10, "我要投诉你们，太差劲了")):
        order = submission(answered(words))
        house.accept(order)
        shares.append(Share(hundredths, [order.body.task_id]))
    house.run()
    count(house.database, seconds=60.0)
    Filling(house.database, shares, per_day=PER_DAY).up_to(ORDERS)
    for _ in range(200):
        count(house.database, seconds=60.0)
        with house.database.transaction() as work:
            if not any(_behind(work)):
                break
    house.close()
    with Database(url, Cipher(CIPHER_KEY)) as database:
        with database.looks() as work:
            work.connection.exec_driver_sql("VACUUM (ANALYZE)")
        yield database, shares[0].task_ids[0]
    servers.drop(url)


def _behind(work: UnitOfWork) -> Iterator[bool]:
    for feed in FEEDS:
        newest = work.connection.exec_driver_sql(
            f"SELECT max({feed.position}) FROM {feed.table}"
        ).scalar_one()
        yield Folding(work).place(feed) < newest


def hot(task_id: str) -> dict[str, Read]:
    """What every order goes through, and what people and systems ask of one."""

    def of_run(read: Callable[[OrderView, str], object]) -> Read:
        return lambda work: read(OrderView(work), Orders(work).find([task_id])[task_id].run_id)

    return {
        "tick: most urgent": lambda work: Queues(work).most_urgent(QUEUES),
        "tick: due": lambda work: Queues(work).ready_due(
            Clock.BUSINESS, Moments(Anchor(NOW, NOW, 1.0), NOW), 500
        ),
        "tick: due otherwise": lambda work: Queues(work).due_otherwise("business", NOW, 500),
        "tick: ready": lambda work: Queues(work).take_ready("contact", 100),
        "tick: stale": lambda work: Queues(work).take_stale("contact", 10, 100),
        "tick: lost": lambda work: Queues(work).rescue(3, 500, grace_seconds=0),
        "claim": lambda work: Steps(work).claim(
            [StepKey(1, 1)], lease_id="l", holder="h", queue="contact", seconds=12
        ),
        "an order": lambda work: Orders(work).find([task_id]),
        "its progress": lambda work: OrderView(work).progress([task_id]),
        "its transitions": lambda work: OrderView(work).transitions(task_id),
        "its audit lines": lambda work: OrderView(work).audit_lines(task_id),
        "its open steps": of_run(OrderView.open_steps),
        "its steps": of_run(OrderView.steps),
        "its open review": lambda work: Reviews(work).open_of(task_id),
        "figures: steps": lambda work: Folding(work).fold(FEEDS[0], up_to=2**62, most=1_000, again=1_000),
        "figures: open orders": lambda work: Folding(work).walk(most=2_000),
    }


def faults(found: Plan, small: Collection[str]) -> list[str]:
    """What is wrong with a plan; a partition of some blocks may be read as a whole."""
    wrong = []
    for node in nodes(found):
        read = node.get("Relation Name", "")
        if node["Node Type"] == "Seq Scan" and partitioned(read) in GROWS and read not in small:
            wrong.append(f"reads all of {node['Relation Name']}")
        if node["Node Type"] == "Sort" and node["Plans"][0]["Plan Rows"] > SORTED_AT_MOST:
            wrong.append(f"sorts {node['Plans'][0]['Plan Rows']} rows")
    return wrong


def faults_of(database: Database, read: Read, *, without: str = "") -> list[str]:
    """What is wrong with the plans of a read, as the database is or without an index."""
    with database.transaction() as work:
        sent = statements(work, read)
        work.connection.rollback()
    with database.transaction() as work:
        small = work.connection.exec_driver_sql(SMALL).scalars().all()
        if without:
            work.connection.exec_driver_sql(f"DROP INDEX {without}")
        found = [fault for one in sent for fault in faults(plan(work, one), small)]
        work.connection.rollback()
    return found


def test_history_lies_in_several_months(filled: tuple[Database, str]) -> None:
    database, _ = filled
    for table in MONTHLY.values():
        with database.transaction() as work:
            months = HistoryMonths(work)
            full = [month for month in months_of(database, table.name) if months.rows(table, month)]
            assert len(full) > 3
            assert not months.left_over(table)


def test_no_read_looks_at_all_there_is_or_sorts_it(filled: tuple[Database, str]) -> None:
    database, task_id = filled
    every = {**reads(QUEUES, task_id), **hot(task_id)}
    found = {name: faults_of(database, read) for name, read in every.items()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def blocks_of(database: Database, read: Read) -> int:
    """The blocks that a read looks at."""
    with database.transaction() as work:
        found = buffers([plan(work, one, carried_out=True) for one in statements(work, read)])
        work.connection.rollback()
    return found


def test_the_cost_of_lists_and_counts_is_bounded_by_what_they_show(filled: tuple[Database, str]) -> None:
    database, task_id = filled
    every = reads(QUEUES, task_id)
    found = {name: blocks_of(database, every[name]) for name in FLAT}

    assert {name: blocks for name, blocks in found.items() if blocks > FLAT[name]} == {}


@pytest.mark.parametrize(
    ("index", "name"),
    [
        ("ix_runs_created", "tasks newest"),
        ("ix_runs_rare_states", "tasks status failed"),
        ("ix_tasks_order_id", "tasks order_id"),
        ("ix_reviews_state", "reviews decided"),
        ("ix_reviews_reason", "reviews by reason"),
        ("idx_audit_timestamp", "audit newest"),
        ("ix_events_of_run", "forget a customer"),
        ("ix_steps_ready", "tick: ready"),
        ("ix_steps_due", "health"),
        ("ix_transitions_position", "exporter: counters"),
        ("idx_audit_task_id", "its audit lines"),
        ("ix_contact_logs_contact_time", "day: contacts"),
    ],
)
def test_a_read_whose_index_is_gone_is_found(filled: tuple[Database, str], index: str, name: str) -> None:
    database, task_id = filled
    read = {**reads(QUEUES, task_id), **hot(task_id)}[name]
    assert faults_of(database, read, without=index)


def test_an_order_that_goes_its_way_writes_no_line_that_counts_as_rare(house: InProcessFleet) -> None:
    house.accept(submission(answered(READY)))
    house.run_to_the_end()
    rare = " OR ".join(f"{value} IS NOT NULL" for value in RARE.values())
    with house.database.transaction() as work:
        asked = f"SELECT event_type, agent_id FROM audit_logs WHERE {rare}"
        assert work.connection.exec_driver_sql(asked).all() == []
