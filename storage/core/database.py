"""The connection pool: a unit of work commits on a clean exit, and is rolled back otherwise."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Self, TypeVar

import orjson
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from runtime.cipher import Cipher
from storage.core.bulk import dump_json
from storage.core.unavailable import StorageUnavailable, summary
from storage.core.unit_of_work import UnitOfWork

Result = TypeVar("Result")

_PAUSE_SECONDS: Final = 0.2
_PREPARED_AFTER: Final = 5
"""How often a statement is sent before it is prepared: what psycopg does unless it is told."""
_LIMIT_STATEMENTS = text("SELECT set_config('statement_timeout', :milliseconds, true)")


class Database:
    """PostgreSQL as this process reaches it. Make one per process, after any fork."""

    def __init__(
        self,
        url: str,
        cipher: Cipher | None,
        *,
        pool_size: int = 4,
        application: str = "unpend",
        prepares: bool = True,
    ) -> None:
        """Take the address, and the key of what is sealed where any of it is read or written.

        Args:
            url: Where PostgreSQL is, or a pooler before it.
            cipher: The key of what is sealed.
            pool_size: Connections that are kept; as many more may be opened for a while.
            application: The name that PostgreSQL shows.
            prepares: Whether statements are prepared: not where a pooler gives each transaction another connection.
        """
        self._key = cipher
        self._engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            pool_recycle=1800,
            # An error must not print what was written: it may hold what a customer said.
            hide_parameters=True,
            json_deserializer=orjson.loads,
            json_serializer=dump_json,
            connect_args={
                "connect_timeout": 5,
                "application_name": application,
                "prepare_threshold": _PREPARED_AFTER if prepares else None,
                # A statement or a transaction that hangs must not outlive the lease it works under for long.
                "options": "-c statement_timeout=30s -c idle_in_transaction_session_timeout=30s -c lock_timeout=10s",
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
            },
        )

    @property
    def cipher(self) -> Cipher:
        """The cipher for columns that must not hold plain text.

        Raises:
            ValueError: this database was opened without a key.
        """
        if self._key is None:
            raise ValueError("this database was opened without a key; nothing sealed can be read or written")
        return self._key

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A unit of work; the only place that commits.

        Raises:
            StorageUnavailable: PostgreSQL went away, or ended the transaction (deadlock, time limit). Whether
                a commit went through may then be unknown; what is written must be recognisable.
        """
        try:
            with self._engine.begin() as connection:
                yield UnitOfWork(connection, self._key)
        except (OperationalError, InterfaceError) as error:
            raise StorageUnavailable(summary(error)) from error
        except PoolExhausted as error:
            raise StorageUnavailable("every connection of this process is in use") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise StorageUnavailable(summary(error)) from error
            raise

    @contextmanager
    def looks(self) -> Iterator[UnitOfWork]:
        """Open a unit of work for one reading statement, without a transaction: one round trip instead of three.

        Raises:
            StorageUnavailable: PostgreSQL went away.
        """
        try:
            with self._engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                yield UnitOfWork(connection, self._key)
        except (OperationalError, InterfaceError) as error:
            raise StorageUnavailable(summary(error)) from error
        except PoolExhausted as error:
            raise StorageUnavailable("every connection of this process is in use") from error

    @contextmanager
    def snapshot(self, *, statement_seconds: float = 5.0) -> Iterator[UnitOfWork]:
        """Open a read-only unit of work that sees one moment, with this time limit for statements.

        Raises:
            StorageUnavailable: PostgreSQL went away, or a statement took longer.
        """
        try:
            with self._engine.connect() as connection:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                connection.execute(_LIMIT_STATEMENTS, {"milliseconds": str(round(statement_seconds * 1000))})
                yield UnitOfWork(connection, self._key)
        except (OperationalError, InterfaceError) as error:
            raise StorageUnavailable(summary(error)) from error

    def durably(self, write: Callable[[UnitOfWork], Result], *, seconds: float) -> Result:
        """Run `write` in a transaction, and repeat it while PostgreSQL is away, up to this time.

        `write` must recognise its own earlier commit, since its answer may have been lost.

        Raises:
            StorageUnavailable: PostgreSQL was away for longer.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                with self.transaction() as work:
                    return write(work)
            except StorageUnavailable:
                if time.monotonic() + _PAUSE_SECONDS > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
