"""The Redis Stream `task.created`: read by a consumer group, drained in batches, deleted after the commit."""

import json
import socket
import threading
from collections.abc import Sequence
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
_IDLE_MS: Final = 15_000
"""A message that a consumer took and never finished is claimed by another after this."""

Entry = tuple[str, dict[str, str]]


class StreamIntake:
    """Takes orders from the stream; accepted means committed in PostgreSQL, then the entry is deleted."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._client = redis.Redis.from_url(
            process.settings.broker_url.get_secret_value(), decode_responses=True, socket_timeout=10
        )
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
        while not stopped.is_set():
            entries = self._left_behind() or self._fresh()
            if entries:
                self._take(entries)

    def _left_behind(self) -> list[Entry]:
        """What a consumer that is gone had taken, our own earlier self included."""
        claimed: Any = self._client.xautoclaim(
            STREAM, GROUP, self._consumer, min_idle_time=_IDLE_MS, count=_LARGEST
        )
        return [(entry_id, fields) for entry_id, fields in claimed[1] if fields is not None]

    def _fresh(self) -> list[Entry]:
        read: Any = self._client.xreadgroup(
            GROUP, self._consumer, {STREAM: ">"}, count=_LARGEST, block=_BLOCK_MS
        )
        if not read:
            return []
        if isinstance(read, dict):
            return [entry for batches in read[STREAM] for entry in batches]
        return list(read[0][1])

    def _take(self, entries: Sequence[Entry]) -> None:
        valid: list[Submission] = []
        refused: list[NewReject] = []
        for entry_id, fields in entries:
            payload = fields.get("payload", "")
            try:
                valid.append(
                    Submission(
                        TaskCreated.model_validate(json.loads(payload)), request_id=fields.get("request_id")
                    )
                )
            except ValidationError as error:
                refused.append(_refused(payload, problems_of(error)))
            except ValueError:
                problem = Problem(
                    field="payload",
                    message=f"of entry {entry_id} is not JSON; the field 'payload' must hold it",
                )
                refused.append(_refused(payload, [problem]))
        received = accept(self._process.engine, self._process.context, valid, Door.STREAM) if valid else []
        self._keep(refused)
        ids = [entry_id for entry_id, _ in entries]
        self._client.xack(STREAM, GROUP, *ids)
        self._client.xdel(STREAM, *ids)
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


def _refused(payload: str, problems: Sequence[Problem]) -> NewReject:
    try:
        body = json.loads(payload)
    except ValueError:
        body = None
    task_id = body.get("task_id") if isinstance(body, dict) else None
    return NewReject(
        source=Door.STREAM,
        task_id=task_id if isinstance(task_id, str) else None,
        payload=payload,
        problems=as_records(problems),
    )
