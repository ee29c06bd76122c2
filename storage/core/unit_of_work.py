"""The unit of work: one transaction, and what every repository that speaks through it stands on."""

from dataclasses import dataclass

from sqlalchemy import Connection

from runtime.cipher import Cipher


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One transaction. A repository is made of it where it is needed: `Orders(work).find(task_id)`."""

    connection: Connection
    """For repositories alone."""
    key: Cipher | None = None
    """`None` where nothing sealed is read or written, as in a migration."""

    @property
    def cipher(self) -> Cipher:
        """What values are sealed with that must not lie in clear.

        Raises:
            ValueError: this unit of work was opened without a key.
        """
        if self.key is None:
            raise ValueError(
                "this unit of work was opened without a key; nothing sealed can be read or written"
            )
        return self.key


@dataclass(frozen=True, slots=True)
class Repository:
    """The only code that speaks SQL about its tables, within one unit of work."""

    work: UnitOfWork

    @property
    def connection(self) -> Connection:
        """The transaction's connection."""
        return self.work.connection

    @property
    def cipher(self) -> Cipher:
        """What values are sealed with that must not lie in clear."""
        return self.work.cipher
