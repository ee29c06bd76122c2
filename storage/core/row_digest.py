"""The digest of a row of history: what PostgreSQL computes when the row is written, and how it is checked here.

    digest = SHA-256(facts, SHA-256(salt, content))

Facts stay for ever. Content may be erased: its hash is kept then, and the salt, without which nobody can find the
content by trying, goes with it. The digest stays the same, so that what was sealed stays sealed (docs/audit.md).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Computed, LargeBinary, text


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTable:
    """A table whose rows carry a digest; a column belongs to it by being named here."""

    name: str
    key: str
    """The column by which a row is named."""
    position: str
    """The column of the order in which rows were written."""
    written: str
    """The column that says when a row was written, on the database's clock."""
    facts: tuple[str, ...]
    content: tuple[str, ...]
    """What an erasure may change, beside the body."""
    body: str
    """The JSON that an erasure may change."""
    moments: frozenset[str] = frozenset()
    """Those of the facts that are moments."""

    def as_text(self, column: str) -> str:
        """As SQL: the value of a column as the digest reads it; a moment is its seconds since 1970."""
        if column in self.moments:
            return f"CAST(extract(epoch FROM (\"{column}\" AT TIME ZONE 'UTC')) AS text)"
        return f'CAST("{column}" AS text)'

    @property
    def erase(self) -> str:
        """As SQL: the part of an UPDATE that keeps the digest while the content changes."""
        return f"content_digest = coalesce(content_digest, {self._content_digest}), salt = NULL"

    @property
    def expression(self) -> str:
        """As SQL: the digest of a row, made of nothing but immutable functions."""
        facts = _bytes(_framed(map(self.as_text, self.facts)))
        return f"sha256({facts} || coalesce(content_digest, {self._content_digest}))"

    @property
    def salt(self) -> str:
        """As SQL: a salt for a row `c` of many, of a random value that is nowhere kept; one each would cost 3 µs."""
        random = "(SELECT uuid_send(gen_random_uuid()))"
        return f"substring(sha256({random} || {_bytes(f'c.{self.key}')}) FROM 1 FOR 16)"

    @property
    def _content_digest(self) -> str:
        body = self.as_text(self.body)
        told = f"{_framed(map(self.as_text, self.content))} || {body}" if self.content else body
        return f"sha256(salt || {_bytes(told)})"

    def columns(self) -> tuple["Column[object]", ...]:
        """The columns that the digest needs and is."""
        return (
            Column("salt", LargeBinary, server_default=text("uuid_send(gen_random_uuid())")),
            Column("content_digest", LargeBinary),
            Column("digest", LargeBinary, Computed(self.expression, persisted=True), nullable=False),
        )


def framed(values: Sequence[str | None]) -> bytes:
    """Values one after another, each behind its length, so that no two lists look the same."""
    return "".join("-" if value is None else f"{len(value)}:{value}" for value in values).encode()


def content_digest(salt: bytes, content: Sequence[str | None], body: str) -> bytes:
    """The hash of a row's content."""
    return hashlib.sha256(salt + framed(content) + body.encode()).digest()


def row_digest(facts: Sequence[str | None], of_content: bytes) -> bytes:
    """The digest of a row."""
    return hashlib.sha256(framed(facts) + of_content).digest()


def _framed(values: Iterable[str]) -> str:
    return " || ".join(f"coalesce(CAST(char_length({v}) AS text) || ':' || {v}, '-')" for v in values)


def _bytes(value: str) -> str:
    # `convert_to` is not immutable; this leaves every byte as it is, once backslashes are doubled.
    return f"decode(replace({value}, '\\', '\\\\'), 'escape')"
