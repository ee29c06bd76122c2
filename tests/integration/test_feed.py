"""The feed misses nothing and repeats nothing, whatever the order in which transactions commit."""

from contextlib import ExitStack
from itertools import count

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from schemas.outbound.effects import ProductEvent
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.outbound.events import Events
from storage.outbound.feed import ORIGIN, Cursor, Feed, FeedPage

_runs = count(1)
WRITERS = 3
MOVES = st.lists(
    st.tuples(st.sampled_from(["write", "commit", "undo", "read"]), st.integers(0, WRITERS - 1)), max_size=25
)


class Undone(Exception):
    """A transaction is to be taken back."""


class Writer:
    """A transaction that stays open between its writes."""

    def __init__(self, database: Database, run_id: str) -> None:
        self._database = database
        self._run_id = run_id
        self._open: ExitStack | None = None
        self._work: UnitOfWork | None = None
        self._written: list[str] = []

    def begin(self) -> UnitOfWork:
        """Open the transaction and give it its id, as the first row does that it writes or locks."""
        if self._work is None:
            self._open = ExitStack()
            self._work = self._open.enter_context(self._database.transaction())
            self._work.connection.execute(text("SELECT pg_current_xact_id()"))
        return self._work

    def write(self, title: str) -> None:
        Events(self.begin()).append([happened(self._run_id, title)])
        self._written.append(title)

    def commit(self) -> list[str]:
        """Commit; the titles of what was written."""
        written, self._written = self._written, []
        if self._open is not None:
            self._open.close()
        self._open = self._work = None
        return written

    def undo(self) -> None:
        """Take back what was written."""
        if self._open is not None:
            assert not self._open.__exit__(Undone, Undone(), None)
        self._open = self._work = None
        self._written = []


def happened(run_id: str, title: str) -> ProductEvent:
    return ProductEvent(
        execution_id=run_id, task_id=None, event_type="noted", stage="test", title=title, status="running"
    )


def tell_as(database: Database, transaction: int, *titles: str) -> None:
    """Events of a transaction of this number, which is long over."""
    insert = text(
        "INSERT INTO events (feed_order, event_type, execution_id, stage, title, status) VALUES "
        "(:transaction, 'noted', 'exec_numbered', 'test', :title, 'running')"
    )
    with database.transaction() as work:
        for title in titles:
            work.connection.execute(insert, {"transaction": transaction, "title": title})


def read(database: Database, after: Cursor, run_id: str | None, limit: int) -> FeedPage:
    with database.transaction() as work:
        return Feed(work).page(after, run_id=run_id, limit=limit)


def read_all(database: Database, after: Cursor, run_id: str | None, limit: int) -> tuple[list[str], Cursor]:
    """The titles of everything that follows, and the place behind it."""
    titles: list[str] = []
    while True:
        page = read(database, after, run_id, limit)
        titles += [event.title for event in page.events]
        after = page.next
        if page.complete:
            return titles, after


@given(moves=MOVES, limit=st.integers(1, 3), of_run=st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_reader_who_comes_back_again_and_again_is_told_every_committed_event_once(
    database: Database, moves: list[tuple[str, int]], limit: int, of_run: bool
) -> None:
    run_id = f"exec_{next(_runs)}"
    chosen = run_id if of_run else None
    writers = [Writer(database, run_id) for _ in range(WRITERS)]
    committed: list[str] = []
    told: list[str] = []
    with database.transaction() as work:
        start = place = Feed(work).now()
    for number, (move, who) in enumerate(moves):
        match move:
            case "write":
                writers[who].write(str(number))
            case "commit":
                committed += writers[who].commit()
            case "undo":
                writers[who].undo()
            case _:
                titles, place = read_all(database, place, chosen, limit)
                told += titles
    for writer in writers:
        committed += writer.commit()
    told += read_all(database, place, chosen, limit)[0]
    assert sorted(told) == sorted(committed)
    assert told == read_all(database, start, chosen, limit=100)[0]


def test_nothing_is_read_that_an_open_transaction_could_still_come_before(database: Database) -> None:
    with database.transaction() as work:
        start = Feed(work).now()
    early, late = Writer(database, "exec_1"), Writer(database, "exec_1")
    early.write("early")
    late.write("late")
    late.commit()
    assert read(database, start, None, 10).events == []
    early.commit()
    assert [event.title for event in read(database, start, None, 10).events] == ["early", "late"]


def test_a_page_says_whether_there_is_more_and_where_it_goes_on(database: Database) -> None:
    with database.transaction() as work:
        start = Feed(work).now()
        Events(work).append([happened("exec_1", title) for title in "abc"])
    first = read(database, start, None, 2)
    assert (len(first.events), first.complete, first.next) == (2, False, first.events[-1].cursor)
    second = read(database, first.next, None, 2)
    assert ([event.title for event in second.events], second.complete) == (["c"], True)
    assert second.next > second.events[-1].cursor


@given(
    transactions=st.lists(st.integers(1, 130), min_size=1, max_size=12),
    limit=st.integers(1, 5),
    of_run=st.booleans(),
)
@example(transactions=[8, 9, 10, 11, 98, 99, 100, 101], limit=1, of_run=False)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_events_follow_each_other_by_the_number_of_their_transaction_however_many_digits_it_has(
    database: Database, transactions: list[int], limit: int, of_run: bool
) -> None:
    with database.transaction() as work:
        work.connection.execute(text("DELETE FROM events"))
    for transaction in transactions:
        tell_as(database, transaction, str(transaction))
    told = read_all(database, ORIGIN, "exec_numbered" if of_run else None, limit)[0]
    assert told == [str(transaction) for transaction in sorted(transactions)]


def test_the_events_of_a_run_are_in_the_order_in_which_they_happened_whoever_began_first(
    database: Database,
) -> None:
    with database.transaction() as work:
        start = Feed(work).now()
    waits_for_the_run = Writer(database, "exec_1")
    waits_for_the_run.begin()
    for title in ("initiated", "sent"):
        holds_the_run = Writer(database, "exec_1")
        holds_the_run.write(title)
        holds_the_run.commit()
    waits_for_the_run.write("responded")
    assert read_all(database, start, None, 10)[0] == []
    waits_for_the_run.commit()
    assert read_all(database, start, None, 10)[0] == ["initiated", "sent", "responded"]
    assert read_all(database, start, "exec_1", 1)[0] == ["initiated", "sent", "responded"]


def test_what_happens_after_a_restore_into_a_new_server_follows_what_was_restored(database: Database) -> None:
    with database.transaction() as work:
        Events(work).append([happened("exec_1", "before")])
        # The other server had had more transactions than this one will for years.
        work.connection.execute(text("UPDATE events SET feed_order = feed_order + 1000000000"))
        place = Cursor(
            work.connection.execute(text("SELECT max(feed_order) FROM events")).scalar_one(), 2**40
        )
    with database.transaction() as work:
        assert Feed(work).continue_restored()
    with database.transaction() as work:
        assert not Feed(work).continue_restored(), "once is enough"
        Events(work).append([happened("exec_2", "after")])
    assert read_all(database, place, None, 10)[0] == ["after"]


def test_the_runs_of_the_next_events_come_with_the_place_of_a_page_of_them(database: Database) -> None:
    with database.transaction() as work:
        work.connection.execute(text("DELETE FROM events"))
    for transaction in (8, 9, 10, 99, 100):
        tell_as(database, transaction, "one", "two")
    with database.transaction() as work:
        place = Feed(work).now()
        Events(work).append([happened("exec_1", title) for title in "aba"])
    for after in (ORIGIN, place):
        for limit in (1, 2, 3, 9, 99):
            with database.transaction() as work:
                page = Feed(work).page(after, limit=limit)
                found = Feed(work).runs_with_events(after, limit=limit)
            assert sorted(found.run_ids) == sorted({event.execution_id for event in page.events})
            assert (found.next, found.complete) == (page.next, page.complete)
