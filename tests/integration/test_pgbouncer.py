"""Behind PgBouncer in transaction mode: each transaction on another connection, few of them for everybody."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.cipher import Cipher
from statemachine.orders.states import State
from storage.core.database import Database
from tasks.orders.upkeep.counting import count
from tasks.orders.upkeep.sealing import seal
from tests.support.audit_trail import LONG, check
from tests.support.factories import READY, answered, submission
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.pgbouncer import ABSENT, CONNECTIONS, PROGRAM, PgBouncer
from tests.support.probe import Probe

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=ABSENT)

PROCESSES = 2 * CONNECTIONS
"""All of them at work at once: more than there are connections."""


@pytest.fixture
def pooled_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    pooler = PgBouncer.before(database_url, tmp_path / "pooler")
    yield pooler.url
    pooler.stop()


def process_behind(url: str) -> InProcessFleet:
    return InProcessFleet.build(url, database=Database(url, Cipher(CIPHER_KEY), prepares=False))


def test_several_processes_carry_their_orders_to_the_end_and_one_tick_works_at_a_time(
    pooled_url: str,
) -> None:
    processes = [process_behind(pooled_url) for _ in range(PROCESSES)]
    orders = [[submission(answered(READY)) for _ in range(5)] for _ in processes]

    def carry(process: InProcessFleet, own: list[object]) -> None:
        process.accept(*own)  # type: ignore[arg-type]
        process.run()

    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(carry, processes, orders))
    # What one process left to another's tick.
    processes[0].run()
    look = Probe(processes[0].database)
    assert look.values("SELECT DISTINCT status FROM tasks") == [State.CLOSED.value]
    assert look.value("SELECT count(*) FROM tasks") == 5 * PROCESSES
    assert look.value("SELECT count(*) - count(DISTINCT (task_id, round, contact_no)) FROM contact_logs") == 0
    for process in processes:
        process.close()


def test_the_upkeep_of_history_works_there_too(pooled_url: str) -> None:
    process = process_behind(pooled_url)
    process.accept(submission(answered(READY)))
    process.run()
    assert seal(process.database, seconds=LONG) > 0
    assert check(process.database).fault is None
    count(process.database, seconds=LONG)
    assert Probe(process.database).value("SELECT sum(value) FROM figures WHERE name = 'rounds_ended'") == 1
    process.close()
