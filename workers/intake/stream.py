"""The Redis Stream `task.created`: read by a consumer group, drained in batches, deleted after the commit."""

import json
import socket
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import redis

from runtime.logs import logger
from schemas.core.problems import Problem
from storage.core.unavailable import StorageUnavailable
from tasks.forms import EntryPoint
from workers.intake.admission import Arrival, admit, request_id_of
from workers.process import Process

_log = logger(__name__)

STREAM: Final = "task.created"
GROUP: Final = "unpend"
_LARGEST: Final = 1000
_BLOCK_MS: Final = 500
_UNDER_WAY: Final = 2
_IDLE_MS: Final = 15_000
"""A message that a consumer took and never finished is claimed by another after this."""

_NO_PAYLOAD: Final = Problem(
    field="entry",
    message="has no field `payload`; put the order's JSON into a field of this name. All its fields are kept",
)

Fields = dict[bytes, bytes]
Entry = tuple[bytes, Fields]


class StreamIntake:
    """Takes orders from the stream; accepted means committed in PostgreSQL, then the entry is deleted."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._client = redis.Redis.from_url(process.settings.broker_url.get_secret_value(), socket_timeout=10)
        self._consumer = f"intake@{socket.gethostname()}"

    def run(self, stopped: threading.Event) -> None:
        """Drain the stream until told to stop; what is away is waited for."""
        while not stopped.is_set():
            try:
                self._ensure_group()
                self._drain(stopped)
            except (redis.RedisError, StorageUnavailable) as error:
                _log.warning("intake waits", error=f"{type(error).__name__}: {error}")
                stopped.wait(1.0)
        self._client.close()

    def _ensure_group(self) -> None:
        try:
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _drain(self, stopped: threading.Event) -> None:
        """Take batch after batch, two under way at once: one is prepared while PostgreSQL writes the other."""
        with ThreadPoolExecutor(max_workers=_UNDER_WAY, thread_name_prefix="stream") as pool:
            under_way: deque[Future[None]] = deque()
            begun = self._read("0", _BLOCK_MS)
            if begun:
                # What we took before we died, or before a server went away, need not wait to be claimed.
                self._take(begun)
            while not stopped.is_set():
                entries = self._read(">", _BLOCK_MS if not under_way else 1)
                if not entries and not under_way:
                    entries = self._left_behind()
                if entries:
                    self._process.pace.keep(len(entries))
                    under_way.append(pool.submit(self._take, entries))
                while under_way and (len(under_way) >= _UNDER_WAY or not entries):
                    under_way.popleft().result()

    def _left_behind(self) -> list[Entry]:
        """What a consumer that is gone had taken, our own earlier self included."""
        claimed: Any = self._client.xautoclaim(
            STREAM, GROUP, self._consumer, min_idle_time=_IDLE_MS, count=_LARGEST
        )
        return [(entry_id, fields) for entry_id, fields in claimed[1] if fields is not None]

    def _read(self, after: str, block_ms: int) -> list[Entry]:
        """What is new (">"), or what this consumer has taken and not finished ("0")."""
        read: Any = self._client.xreadgroup(
            GROUP, self._consumer, {STREAM: after}, count=_LARGEST, block=block_ms
        )
        if not read:
            return []
        batches = read[STREAM.encode()] if isinstance(read, dict) else [read[0][1]]
        return [(entry_id, fields) for batch in batches for entry_id, fields in batch if fields]

    def _take(self, entries: Sequence[Entry]) -> None:
        admit(
            self._process,
            [_arrival(fields) for _, fields in entries],
            EntryPoint.STREAM,
        )
        self._finish([entry_id for entry_id, _ in entries])

    def _finish(self, ids: Sequence[bytes]) -> None:
        # Together: an entry that is acknowledged and not deleted would lie in the stream for ever.
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xack(STREAM, GROUP, *ids)
            pipeline.xdel(STREAM, *ids)
            pipeline.execute()


def _arrival(fields: Fields) -> Arrival:
    request_id = request_id_of(fields.get(b"request_id"))
    if b"payload" in fields:
        return Arrival(fields[b"payload"], request_id)
    # Whatever the producer called it, what it sent is in these fields, and the entry will be deleted.
    whole = {_text(name): _text(value) for name, value in fields.items()}
    return Arrival(json.dumps(whole, ensure_ascii=False).encode(), request_id, _NO_PAYLOAD)


def _text(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")
