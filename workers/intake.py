"""The Redis Stream `task.created`: read by a consumer group, drained in batches, deleted after the commit."""

import re
import socket
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import redis
from pydantic import ValidationError

from runtime.logs import logger
from schemas.effects import AlertRaised
from schemas.intake import Problem, TaskCreated, as_records, problems_of
from storage.rejects import NewReject
from storage.unavailable import StorageUnavailable
from tasks.intake import Door, Submission, accept
from workers.process import Process

_log = logger(__name__)

STREAM: Final = "task.created"
GROUP: Final = "unpend"
_LARGEST: Final = 1000
_BLOCK_MS: Final = 500
_UNDER_WAY: Final = 2
_IDLE_MS: Final = 15_000
"""A message that a consumer took and never finished is claimed by another after this."""

_TASK_ID: Final = re.compile(r'"task_id"\s*:\s*"([A-Za-z0-9_.:-]{1,32})"')
"""Finds the id even in what is no JSON, so that a person can look the order up."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

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

    def _ensure_group(self) -> None:
        try:
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _drain(self, stopped: threading.Event) -> None:
        """Take batch after batch, two under way at once: one is prepared while PostgreSQL writes the other."""
        with ThreadPoolExecutor(max_workers=_UNDER_WAY, thread_name_prefix="intake") as pool:
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
        valid: list[Submission] = []
        refused: list[NewReject] = []
        for _, fields in entries:
            payload = fields.get(b"payload", b"")
            try:
                body = TaskCreated.model_validate_json(payload)
            except ValidationError as error:
                refused.append(_refused(payload, problems_of(error)))
            else:
                valid.append(Submission(body, request_id=_request_id(fields)))
        received = accept(self._process.engine, self._process.context, valid, Door.STREAM) if valid else []
        self._keep(refused)
        ids = [entry_id for entry_id, _ in entries]
        # Together: an entry that is acknowledged and not deleted would lie in the stream for ever.
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xack(STREAM, GROUP, *ids)
            pipeline.xdel(STREAM, *ids)
            pipeline.execute()
        verdicts: dict[str, int] = {"malformed": len(refused)} if refused else {}
        for answer in received:
            verdicts[answer.verdict] = verdicts.get(answer.verdict, 0) + 1
        _log.info("orders taken from the stream", **verdicts)

    def _keep(self, refused: Sequence[NewReject]) -> None:
        """What is malformed is never dropped: kept with the reason, and one alert a batch."""
        if not refused:
            return
        with self._process.database.transaction() as work:
            work.rejects.keep(refused)
            work.alerts.raise_all(
                [
                    AlertRaised(
                        alert_type="intake_rejected",
                        severity="warning",
                        message=f"{len(refused)} 条 task.created 消息无效, 已保留待更正",
                        escalated_to="operations",
                        metadata={"count": len(refused)},
                    )
                ]
            )


def _refused(payload: bytes, problems: Sequence[Problem]) -> NewReject:
    text = payload.decode(errors="backslashreplace")
    named = _TASK_ID.search(text)
    return NewReject(
        source=Door.STREAM,
        task_id=named.group(1) if named else None,
        payload=text,
        problems=as_records(problems),
    )


def _request_id(fields: Fields) -> str | None:
    """The producer's request id, where it is one that can be logged and stored."""
    given = fields.get(b"request_id", b"").decode(errors="replace")
    return given if _REQUEST_ID.fullmatch(given) else None
