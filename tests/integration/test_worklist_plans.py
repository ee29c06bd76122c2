"""What the worklist reads where ten thousand reviews wait: a page of them by the index, whatever is overdue."""

from collections.abc import Iterator

import pytest

from bench.scale.plans import Read, buffers, nodes, plan, statements
from runtime.cipher import Cipher
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.people.worklist import EVERYTHING, Worklist, WorklistFilter, WorklistPlace
from tests.support.factories import submission
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.servers import Servers

OPEN = 10_000
DECIDED = 10_000
PAGE = 60
OF_A_PAGE = 6 * PAGE
"""Blocks that a page may look at: of each row its own, that of its run, and what leads there."""
_COPY = """
    INSERT INTO reviews (review_id, step_id, run_id, task_id, node, reason, question, context, decisions, state,
        opened_at, deadline_at, flagged, rank_at, workflow, product)
    SELECT 'REVcopy' || n, -n, run_id, task_id, node, reason, question, context, decisions,
        CASE WHEN n <= %(open)s THEN 'open' ELSE 'decided' END, opened_at,
        CASE WHEN n %% 500 = 0 THEN opened_at ELSE opened_at + interval '40 days' END, n %% 400 = 0,
        opened_at + make_interval(secs => n * 7919 %% 100003), workflow, 'product ' || n %% 20
    FROM reviews, generate_series(1, %(all)s) AS n
"""


@pytest.fixture(scope="module")
def full(servers: Servers) -> Iterator[Database]:
    """Ten thousand open reviews, a few of them flagged or overdue, and as many that are decided."""
    url = servers.new_database()
    house = InProcessFleet.build(url)
    house.accept(submission(metadata={"phone": None}))
    house.close()
    with Database(url, Cipher(CIPHER_KEY)) as database:
        with database.transaction() as work:
            work.connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            work.connection.exec_driver_sql(_COPY, {"open": OPEN, "all": OPEN + DECIDED})
        with database.looks() as work:
            work.connection.exec_driver_sql("VACUUM (ANALYZE)")
        yield database
    servers.drop(url)


def read_page(chosen: WorklistFilter = EVERYTHING, after: WorklistPlace | None = None) -> Read:
    """The read of one page."""
    return lambda work: Worklist(work).page(
        chosen, now=BusinessClock(work).now().business_now, after=after, limit=PAGE
    )


def blocks_of(database: Database, read: Read, *, without: str = "") -> int:
    """The blocks that a read looks at, as the database is or without an index."""
    with database.transaction() as work:
        if without:
            work.connection.exec_driver_sql(f"DROP INDEX {without}")
        found = buffers([plan(work, one, carried_out=True) for one in statements(work, read)])
        work.connection.rollback()
    return found


def middle_of(database: Database, band: int) -> WorklistPlace:
    """The place in the middle of a band."""
    with database.transaction() as work:
        now = BusinessClock(work).now().business_now
        every = Worklist(work).page(EVERYTHING, now=now, limit=2 * OPEN)
    assert len(every) == OPEN + 1
    of_band = [ranked.place for ranked in every if ranked.place.band == band]
    assert of_band
    return of_band[len(of_band) // 2]


def test_the_first_page_of_ten_thousand_is_read_by_the_index(full: Database) -> None:
    assert blocks_of(full, read_page()) <= OF_A_PAGE
    assert blocks_of(full, read_page(), without="ix_reviews_worklist") > OF_A_PAGE


def test_what_is_overdue_is_found_without_a_look_at_what_is_not(full: Database) -> None:
    assert blocks_of(full, read_page(), without="ix_reviews_deadline") > OF_A_PAGE


@pytest.mark.parametrize("band", [0, 1, 2])
def test_a_page_in_the_middle_costs_what_the_first_one_does(full: Database, band: int) -> None:
    assert blocks_of(full, read_page(after=middle_of(full, band))) <= OF_A_PAGE


def test_a_page_of_one_product_looks_at_no_decided_review(full: Database) -> None:
    with full.transaction() as work:
        sent = statements(work, read_page(WorklistFilter(product="product 3")))
        read = [node for one in sent for node in nodes(plan(work, one))]
    assert "reviews" in {node.get("Relation Name") for node in read}
    assert "reviews" not in {node["Relation Name"] for node in read if node["Node Type"] == "Seq Scan"}


def test_counts_are_read_once_and_not_sorted_out_of_all_there_is(full: Database) -> None:
    with full.transaction() as work:
        (sent,) = statements(work, lambda work: Worklist(work).counts(WorklistFilter(product="product 3")))
        read = list(nodes(plan(work, sent)))
    assert [node["Relation Name"] for node in read if "Relation Name" in node].count("reviews") == 1
