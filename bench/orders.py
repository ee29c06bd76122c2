"""Generates orders for measuring: each customer agrees at once."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from schemas.orders.intake import TaskCreated
from tasks.orders.intake.intake import Submission

_numbers = itertools.count(1)
_WORDS = (
    "配件到了，可以安排师傅上门了",
    "可以的，你们过来修吧",
    "东西都齐了，让师傅来吧",
    "没问题，可以上门",
)


def payloads(count: int) -> Iterator[dict[str, Any]]:
    """Return this many `task.created` payloads, each new in this process."""
    for number in itertools.islice(_numbers, count):
        yield {
            "task_id": f"HTB{number:09}",
            "order_id": f"SOB{number:09}",
            "order_type": "未上门",
            "metadata": {
                "customer_id": f"CUST{number}",
                "phone": f"138001{number % 100000:05}",
                "pending_reason": "等待配件",
                "simulation": [
                    {"result": "answered", "transcript": _WORDS[number % len(_WORDS)], "delay_seconds": 0}
                ],
            },
        }


def submissions(count: int) -> list[Submission]:
    """Return this many valid orders."""
    return [Submission(TaskCreated.model_validate(payload)) for payload in payloads(count)]


def documents(count: int) -> list[str]:
    """Return this many payloads as JSON."""
    return [json.dumps(payload, ensure_ascii=False) for payload in payloads(count)]
