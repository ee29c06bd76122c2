"""Runs that wait, made by the hundred thousand: copies of one that the engine has begun."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.begin import Begin
from engine.catalogue import register
from engine.engine import Engine
from runtime.ids import Prefix, new_id
from schemas.core.agents import Agent
from tasks.registry import PRODUCTS

TIMER: Final = "waits_for_time"
MESSAGE: Final = "waits_for_word"
WORD: Final = "bench.word"
"""The name of the messages; the key is the id of the run that waits."""
OUTSIDE: Final = "outside"
CAPABILITY: Final = "bench"
_DEFINITIONS: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "workflow": TIMER,
        "version": "1",
        "steps": [
            {"id": "wait", "type": "wait", "events": [{"timer": "${parameters.until}", "next": "end"}]}
        ],
    },
    {
        "workflow": MESSAGE,
        "version": "1",
        "steps": [
            {
                "id": "wait",
                "type": "wait",
                "events": [{"message": WORD, "key": "${parameters.key}", "next": "end"}],
            }
        ],
    },
    {"workflow": OUTSIDE, "version": "1", "steps": [{"id": "do", "agent": {"capability": CAPABILITY}}]},
)
_CHUNK: Final = 20_000
"""Copies that one statement writes."""
_TOLD_APART: Final = 20
"""Digits of a run's id that tell it from others; an id has room for a number after them."""
_COPY: Final = """
    WITH pattern AS MATERIALIZED (
        SELECT r.workflow, r.version, r.state, r.priority, r.open_steps, r.steps_made, r.begun, s.node, s.kind,
            s.state AS step_state, w.place, w.kind AS waits_for, w.name, w.due_at
        FROM runs r JOIN steps s USING (run_id) JOIN subscriptions w USING (step_id) WHERE r.run_id = %(run_id)s
    ), begun AS (
        INSERT INTO runs (run_id, workflow, version, state, priority, variables, open_steps, steps_made, begun)
        SELECT %(prefix)s || n, workflow, version, state, priority, jsonb_build_object('key', %(prefix)s || n),
            open_steps, steps_made, begun
        FROM pattern, generate_series(%(first)s::integer, %(last)s::integer) AS n RETURNING run_id, variables
    ), parked AS (
        INSERT INTO steps (run_id, node, kind, state, priority, input)
        SELECT run_id, node, kind, step_state, priority, variables FROM begun, pattern RETURNING step_id, run_id
    )
    INSERT INTO subscriptions (run_id, step_id, place, kind, name, key, due_at)
    SELECT run_id, step_id, place, waits_for, name, CASE WHEN name IS NOT NULL THEN run_id END, due_at
    FROM parked, pattern
"""


def know_definitions(engine: Engine, agents: Iterable[Agent]) -> None:
    """Let the fleet know what is begun here."""
    with engine.database.transaction() as work:
        register(work, _DEFINITIONS, products=PRODUCTS, queues=engine.queues, agents=agents)


def begin(engine: Engine, workflow: str, runs: int = 1, **variables: Any) -> list[str]:
    """Begin so many runs with these parameters, in one transaction; their ids."""
    ids = [new_id(Prefix.RUN) for _ in range(runs)]
    with engine.transaction() as transaction:
        known = transaction.catalogue.current(transaction.work, workflow)
        transaction.begin([Begin(run_id=each, workflow=known, variables=variables) for each in ids])
    return ids


def make_waits(engine: Engine, workflow: str, count: int, **variables: Any) -> list[str]:
    """Let so many runs wait with these parameters; of messages, each for the key that is its own id."""
    (pattern,) = begin(engine, workflow, **variables)
    prefix = f"{pattern[-_TOLD_APART:]}-"
    for first in range(1, count, _CHUNK):
        past = min(first + _CHUNK, count)
        values = {"run_id": pattern, "prefix": prefix, "first": first, "last": past - 1}
        with engine.database.transaction() as work:
            work.connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            work.connection.exec_driver_sql(_COPY, values)
    return [f"{prefix}{number}" for number in range(1, count)]


def tidy(engine: Engine) -> None:
    """Let PostgreSQL look at what it has, as autovacuum does before long."""
    with engine.database.looks() as work:
        work.connection.exec_driver_sql("SET statement_timeout = 0")
        work.connection.exec_driver_sql("VACUUM (ANALYZE) runs, steps, subscriptions, inbox")
        work.connection.exec_driver_sql("RESET statement_timeout")
