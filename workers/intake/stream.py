"""The Redis Stream `task.created`: read by a consumer group, drained in batches, deleted after the commit."""

import json
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import redis

from runtime.logs import logger
from runtime.redis_address import NO_REDIS
from schemas.core.problems import Problem
from storage.core.unavailable import StorageUnavailable
from tasks.forms import EntryPoint
from workers.intake.admission import LARGEST_BATCH, Arrival, admit, request_id_of
from workers.process import Process

_log = logger(__name__)

STREAM: Final = "task.created"
GROUP: Final = "unpend"
_LARGEST: Final = 1000
_BLOCK_MS: Final = 500
_UNDER_WAY: Final = 2
_IDLE_MS: Final = 15_000
"""A message that a consumer took and never finished is claimed by another after this."""
_CLAIMED_AT_ONCE: Final = 32
_BETWEEN_CLAIMS: Final = 5.0
"""Seconds between two looks for what others have left, however busy the stream is."""
_GONE_SECONDS: Final = 600.0
"""A consumer that has asked for nothing for so long, and holds nothing, is gone."""

# Entry by entry, because a read has no limit of bytes, and a thousand entries may be a gigabyte.
_READ_WITHIN: Final = """
local taken, bytes = {}, tonumber(ARGV[3])
while #taken < tonumber(ARGV[4]) and bytes < tonumber(ARGV[5]) do
    local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1, 'STREAMS', KEYS[1], '>')
    if not read then break end
    local entry = read[1][2][1]
    taken[#taken + 1] = entry
    for _, field in ipairs(entry[2]) do bytes = bytes + #field end
end
return taken
"""

_NO_PAYLOAD: Final = Problem(
    field="entry",
    message="has no field `payload`; put the order's JSON into a field of this name. All its fields are kept",
)

Fields = dict[bytes, bytes]
Entry = tuple[bytes, Fields]


class StreamIntake:
    """Takes orders from the stream; accepted means committed in PostgreSQL, then the entry is deleted."""

    def __init__(self, process: Process, *, gone_seconds: float = _GONE_SECONDS) -> None:
        """Take the parts of the process; nothing is connected yet.

        Raises:
            ValueError: there is no Redis that could hold the stream.
        """
        address = process.settings.stream_redis
        if address is None:
            raise ValueError(f"there is no stream to read: {NO_REDIS}")
        self._process = process
        self._gone_seconds = gone_seconds
        self._claimed_at = -math.inf
        self._client = address.client(socket_timeout=10)
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
            self._finish_own()
            while not stopped.is_set():
                entries = self._read(_BLOCK_MS if not under_way else 1)
                if entries:
                    self._process.pace.keep(len(entries))
                    under_way.append(pool.submit(self._take, entries))
                while under_way and (len(under_way) >= _UNDER_WAY or not entries):
                    under_way.popleft().result()
                if time.monotonic() - self._claimed_at > _BETWEEN_CLAIMS:
                    while under_way:
                        under_way.popleft().result()
                    self._take_over(stopped)
                    self._claimed_at = time.monotonic()

    def _finish_own(self) -> None:
        """Take what we took before we died, or before a server went away: it need not wait to be claimed."""
        while own := _entries(
            self._client.xreadgroup(GROUP, self._consumer, {STREAM: "0"}, count=_CLAIMED_AT_ONCE, block=1)
        ):
            self._take(self._present(own))

    def _take_over(self, stopped: threading.Event) -> None:
        """Take all that consumers which are gone had taken, our own earlier self included; and forget those."""
        start: Any = b"0-0"
        while not stopped.is_set():
            start, claimed, *_ = self._client.xautoclaim(
                STREAM, GROUP, self._consumer, _IDLE_MS, start_id=start, count=_CLAIMED_AT_ONCE
            )
            self._take(self._present(claimed))
            if start == b"0-0":
                break
        for known in self._client.xinfo_consumers(STREAM, GROUP):
            gone = known["idle"] > self._gone_seconds * 1000 and not known["pending"]
            if gone and known["name"] != self._consumer.encode():
                self._client.xgroup_delconsumer(STREAM, GROUP, known["name"])

    def _present(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that are still in the stream; one that was deleted meanwhile, by a trim, is nobody's any more."""
        deleted = [entry_id for entry_id, fields in entries if not fields]
        if deleted:
            self._client.xack(STREAM, GROUP, *deleted)
        return [(entry_id, fields) for entry_id, fields in entries if fields]

    def _read(self, block_ms: int) -> list[Entry]:
        """What is new, up to a number of entries and of bytes."""
        first = _entries(
            self._client.xreadgroup(GROUP, self._consumer, {STREAM: ">"}, count=1, block=block_ms)
        )
        if not first:
            return []
        size = sum(len(name) + len(value) for name, value in first[0][1].items())
        further: Any = self._client.eval(
            _READ_WITHIN, 1, STREAM, GROUP, self._consumer, size, _LARGEST - 1, LARGEST_BATCH
        )
        return [
            *first,
            *((entry_id, dict(zip(flat[::2], flat[1::2], strict=True))) for entry_id, flat in further),
        ]

    def _take(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
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


def _entries(read: Any) -> list[Entry]:
    """The entries of an answer to XREADGROUP about one stream, in either version of the protocol."""
    if not read:
        return []
    batches = read[STREAM.encode()] if isinstance(read, dict) else [read[0][1]]
    return [(entry_id, fields) for batch in batches for entry_id, fields in batch]


def _arrival(fields: Fields) -> Arrival:
    request_id = request_id_of(fields.get(b"request_id"))
    if b"payload" in fields:
        return Arrival(fields[b"payload"], request_id)
    # Whatever the producer called it, what it sent is in these fields, and the entry will be deleted.
    whole = {_text(name): _text(value) for name, value in fields.items()}
    return Arrival(json.dumps(whole, ensure_ascii=False).encode(), request_id, _NO_PAYLOAD)


def _text(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")
