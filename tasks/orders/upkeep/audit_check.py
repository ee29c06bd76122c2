"""Checks the audit trail: each seal with the rows of its range, whether they stand in tables or in a file."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from storage.access.seals import GENESIS, MARK_BYTES, Seal, SealedRow
from storage.orders.upkeep.months import MONTHLY

_ERASURE: Final = "customer_erased"
REMOVAL: Final = "history_dropped"
"""The entry of the installation's log that a month of history was dropped."""
_NO_ROWS: Final = sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last seal of a chain. Kept by somebody outside, it shows later that nothing before it was changed."""

    seal_id: int
    digest: str

    def __str__(self) -> str:
        return f"{self.seal_id}-{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """The first thing that does not agree."""

    seal_id: int | None
    table_name: str | None
    key: str | None
    """The row, where it is known."""
    what: str


class DroppedMonth(BaseModel):
    """A month of a sealed table that was dropped, as it is on record."""

    model_config = ConfigDict(frozen=True)

    table: str
    seals: tuple[int, int]
    """The first and the last seal with rows of it."""
    left: Mapping[int, str]
    """By seal, the SHA-256 over the digests of the rows that stayed; the other seals between have none any more."""

    @classmethod
    def read(cls, detail: object) -> Self | None:
        """What an entry tells; `None` where it tells of no seals."""
        try:
            return cls.model_validate(detail)
        except ValidationError:
            return None

    def leaves(self, seal: Seal, digest: str) -> bool:
        """Whether it says that these rows were left under a seal."""
        if seal.table_name != self.table or not self.seals[0] <= seal.seal_id <= self.seals[1]:
            return False
        return digest == self.left.get(seal.seal_id, _NO_ROWS)


@dataclass(slots=True)
class Check:
    """Follows a chain from its beginning, or from wherever an export begins; stops at the first fault."""

    expected: ChainHead | None = None
    whole: bool = True
    """Whether all there is will be gone through, not a part of it that was exported."""
    seals: int = 0
    rows: int = 0
    erased: int = 0
    """Rows whose content was erased; their digests agree."""
    removed: int = 0
    """Sealed rows that went with a month, each month on record; what is left under their seals agrees."""
    removed_up_to: int | None = None
    """The last seal that rows were removed of."""
    head: ChainHead | None = None
    fault: Disagreement | None = None
    _reached: dict[str, int] = field(default_factory=dict)
    _erased_orders: dict[str, SealedRow] = field(default_factory=dict)
    _erasures: set[str] = field(default_factory=set)
    _short: list[tuple[Seal, list[SealedRow], Disagreement]] = field(default_factory=list)
    _dropped: list[DroppedMonth] = field(default_factory=list)

    def go_through(self, chain: Iterable[tuple[Seal, list[SealedRow]]]) -> None:
        """Check one seal after another, each with the rows that are in its range now."""
        for seal, rows in chain:
            self.fault = self._seal(seal) or self._rows(seal, rows)
            if self.fault is not None:
                return
            self.seals += 1
            self.rows += len(rows)
            self.head = ChainHead(seal.seal_id, seal.digest.hex())

    def end(self, unsealed: Iterable[SealedRow] = ()) -> None:
        """Check what is known only at the end; an erasure may be on record among the rows without a seal."""
        if self.fault is not None:
            return
        for row in unsealed:
            self._note(row)
        for seal, rows, fault in self._short:
            # Whoever removes a month says so behind the seals of its rows.
            if not has_what_it_sealed(seal, rows, self._dropped):
                self.fault = fault
                return
            self.removed += seal.rows - len(rows)
            self.removed_up_to = seal.seal_id
        forged = self._erased_orders.keys() - self._erasures if self.whole else ()
        for task_id in sorted(forged):
            row = self._erased_orders[task_id]
            what = f"its content is gone, and no line {_ERASURE} names {task_id}"
            self.fault = Disagreement(seal_id=None, table_name=row.table_name, key=row.key, what=what)
            return
        if self.expected is not None and (self.head is None or self.head.seal_id < self.expected.seal_id):
            what = f"the chain ends before seal {self.expected.seal_id}, which was kept"
            self.fault = Disagreement(seal_id=self.expected.seal_id, table_name=None, key=None, what=what)

    def _seal(self, seal: Seal) -> Disagreement | None:
        def fault(what: str) -> Disagreement:
            return Disagreement(seal_id=seal.seal_id, table_name=seal.table_name, key=None, what=what)

        if self.head is not None:
            is_next = seal.seal_id == self.head.seal_id + 1 and seal.previous.hex() == self.head.digest
        else:
            is_next = not self.whole or (seal.seal_id, seal.previous) == (1, GENESIS)
        if not is_next:
            return fault("it does not follow the seal before it")
        if seal.computed() != seal.digest:
            return fault("its digest does not agree with what it says")
        kept = self.expected
        if kept is not None and seal.seal_id == kept.seal_id and seal.digest.hex() != kept.digest:
            return fault("it is not the seal that was kept")
        begins = self._reached.get(seal.table_name, 0 if self.whole else seal.first_position - 1)
        if seal.first_position != begins + 1:
            return fault(f"its range begins at {seal.first_position}, and the one before ended at {begins}")
        self._reached[seal.table_name] = seal.last_position
        return None

    def _rows(self, seal: Seal, rows: list[SealedRow]) -> Disagreement | None:
        digests = [row.digest() for row in rows]
        if has_what_it_sealed(seal, rows):
            for row in rows:
                self._note(row)
            return None
        marks = [seal.marks[at : at + MARK_BYTES] for at in range(0, len(seal.marks), MARK_BYTES)]
        found = [digest[:MARK_BYTES] for digest in digests]
        at = next((at for at, pair in enumerate(zip(marks, found, strict=False)) if pair[0] != pair[1]), None)
        if at is None:
            at = min(len(marks), len(found))
        match len(rows) - seal.rows:
            case 0:
                what = "it was changed"
            case less if less < 0:
                what = f"{-less} of the {seal.rows} rows sealed here are gone, the first before this one"
            case more:
                what = (
                    f"{more} more than the {seal.rows} rows sealed here; this is the first that was not there"
                )
        key = rows[at].key if at < len(rows) else None
        fault = Disagreement(seal_id=seal.seal_id, table_name=seal.table_name, key=key, what=what)
        if seal.table_name not in MONTHLY or len(rows) > seal.rows:
            return fault
        self._short.append((seal, rows, fault))
        for row in rows:
            self._note(row)
        return None

    def _note(self, row: SealedRow) -> None:
        if row.erased is not None:
            self.erased += 1
            task_id = row.facts.get("task_id")
            if task_id is not None:
                self._erased_orders.setdefault(task_id, row)
        elif row.facts.get("what") == _ERASURE:
            self._erasures |= set(json.loads(row.body).get("task_ids", ()))
        elif (
            row.facts.get("what") == REMOVAL
            and (found := DroppedMonth.read(json.loads(row.body))) is not None
        ):
            self._dropped.append(found)


def has_what_it_sealed(seal: Seal, rows: Sequence[SealedRow], months: Sequence[DroppedMonth] = ()) -> bool:
    """Whether the rows in the range of a seal are those that were sealed, or those that a dropped month left."""
    found = folded(row.digest() for row in rows)
    if (len(rows), found) == (seal.rows, seal.rows_digest):
        return True
    return any(dropped.leaves(seal, found.hex()) for dropped in months)


def folded(digests: Iterable[bytes]) -> bytes:
    """The SHA-256 over digests, one after another."""
    return sha256(b"".join(digests)).digest()
