"""Migrates a database to the tables of this version."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from storage.core.unavailable import StorageUnavailable, summary
from storage.core.unit_of_work import UnitOfWork

_LOCK = 0x6D696772617465
"""Two migrations at once wait for each other."""
_MAY_READ = text("SELECT coalesce(has_table_privilege(to_regclass('alembic_version'), 'SELECT'), false)")


def migrate(url: str) -> None:
    """Bring the database at `url` to this version.

    Raises:
        StorageUnavailable: PostgreSQL does not answer.
    """
    with owner_transaction(url) as connection:
        command.upgrade(configuration(connection), "head")


@contextmanager
def owner_transaction(url: str) -> Iterator[Connection]:
    """Open one transaction as the owner of the tables; two at once wait for each other.

    Raises:
        StorageUnavailable: PostgreSQL does not answer.
    """
    engine = create_engine(url, hide_parameters=True)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection
    except OperationalError as error:
        raise StorageUnavailable(summary(error)) from error
    finally:
        engine.dispose()


def is_at_head(work: UnitOfWork) -> bool | None:
    """Whether the tables are those of this version; `None` for who may not read which they are of."""
    if not work.connection.execute(_MAY_READ).scalar_one():
        return None
    there = set(MigrationContext.configure(work.connection).get_current_heads())
    return there == set(ScriptDirectory.from_config(configuration(work.connection)).get_heads())


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for this connection; no file is read."""
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.attributes["connection"] = connection
    return config
