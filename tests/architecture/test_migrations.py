"""A migrated database is what `storage.tables` declares, constraints included."""

import re
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from statemachine.orders.machine import TRANSITIONS
from statemachine.orders.states import Event, State
from storage.core.migrate import configuration
from storage.migrations.tables import is_declared, metadata

_CONSTRAINTS = text("""
    SELECT c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relname <> 'alembic_version'
      AND NOT c.relispartition
""")
_INDEXES = text("""
    SELECT tablename, indexname, regexp_replace(indexdef, ' ON (ONLY )?[a-z]+\\.', ' ON \\1')
    FROM pg_indexes WHERE schemaname = :schema AND tablename <> 'alembic_version'
      AND tablename NOT IN (SELECT relname FROM pg_class WHERE relispartition)
""")
_COLUMNS = text("""
    SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale,
           is_nullable, is_identity, regexp_replace(column_default, '''[a-z]+\\.', '''')
    FROM information_schema.columns WHERE table_schema = :schema AND table_name <> 'alembic_version'
      AND table_name IN (SELECT relname FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace)
          AND relkind IN ('r', 'p') AND NOT relispartition)
""")
_SCHEMA = re.compile(r"\b(?:public|declared)\.")
_LEGAL = text("""
    SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
    WHERE conname = 'ck_transitions_legal_move' AND conrelid = CAST('transitions' AS regclass)
""")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")  # the next test compares it by name
def test_the_migrations_make_the_declared_tables_and_columns(connection: Connection) -> None:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "target_metadata": metadata, "include_name": is_declared}
    )
    assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize(
    "question", [_CONSTRAINTS, _INDEXES, _COLUMNS], ids=["constraints", "indexes", "columns"]
)
def test_the_migrations_make_exactly_what_the_tables_declare(
    connection: Connection, question: object
) -> None:
    connection.execute(text("CREATE SCHEMA declared"))
    connection.execute(text("SET LOCAL search_path TO declared, public"))
    metadata.create_all(connection, checkfirst=False)
    migrated, declared = (
        {tuple(_SCHEMA.sub("", str(part)) for part in row) for row in asked}
        for asked in (
            connection.execute(question, {"schema": schema})  # type: ignore[call-overload]
            for schema in ("public", "declared")
        )
    )
    assert migrated - declared == declared - migrated == set()
    assert migrated


def test_the_database_refuses_exactly_the_moves_the_machine_refuses(connection: Connection) -> None:
    legal = connection.execute(_LEGAL).scalar_one()
    allowed = connection.execute(
        text(f"""
            SELECT from_state, event, to_state
            FROM unnest(CAST(:states AS varchar[])) AS a(from_state),
                 unnest(CAST(:events AS varchar[])) AS b(event),
                 unnest(CAST(:states AS varchar[])) AS c(to_state)
            WHERE {legal}
        """),
        {"states": [*State, "elsewhere"], "events": [*Event, "task.fly"]},
    )
    assert {tuple(row) for row in allowed} == {
        (row.source.value, row.event.value, row.target.value) for row in TRANSITIONS.values()
    }


def test_the_migrations_are_one_line_without_branches(connection: Connection) -> None:
    scripts = ScriptDirectory.from_config(configuration(connection))
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    assert MigrationContext.configure(connection).get_current_revision() == scripts.get_current_head()
