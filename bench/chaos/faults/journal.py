"""The journal of faults: what was made to whom, from when to when; one JSON object a line."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from bench.chaos.faults.plan import KILLS, FaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """A fault that was made; moments are seconds since 1970."""

    kind: FaultKind
    target: str
    pids: tuple[int, ...]
    """The processes that it struck."""
    began: float
    ended: float
    number: int = 0
    """How many things it struck: processes ended, messages repeated, commits cut."""


@dataclass(slots=True)
class Struck:
    """What a fault in the making has struck so far."""

    number: int = 0


@dataclass(slots=True)
class Journal:
    """Every fault of a run; each is appended to the file when it is over."""

    path: Path
    _records: list[FaultRecord] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def fault(self, kind: FaultKind, target: str = "", pids: Sequence[int] = ()) -> Iterator[Struck]:
        """Record what is made within; the one who makes it counts what it struck."""
        began, tally = time.time(), Struck()
        begun = FaultRecord(kind=kind, target=target, pids=tuple(pids), began=began, ended=began)
        with self._lock:
            self._write({"phase": "begins", **asdict(begun)})
        try:
            yield tally
        finally:
            self._keep(replace(begun, ended=time.time(), number=tally.number))

    @property
    def records(self) -> tuple[FaultRecord, ...]:
        """Every fault that is over."""
        with self._lock:
            return tuple(self._records)

    def counts(self) -> Counter[FaultKind]:
        """How many faults of each kind struck anything."""
        return Counter(record.kind for record in self.records if record.number)

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(record.number for record in self.records if record.kind in KILLS)

    def _keep(self, record: FaultRecord) -> None:
        with self._lock:
            self._records.append(record)
            self._write({"phase": "over", **asdict(record)})

    def _write(self, line: dict[str, object]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
