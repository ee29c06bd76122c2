"""Orders as upstream sends them, with what a test cares about and plausible rest."""

from itertools import count
from typing import Any

from schemas.orders.intake import TaskCreated
from tasks.orders.intake.intake import Submission

_numbers = count(1)

READY = "配件到了，可以安排师傅上门了"
PARTS_MISSING = "配件还没到，等配件到了再说"
CANCEL = "不用了，取消吧，我不修了"


def answered(transcript: str = READY, **more: object) -> dict[str, object]:
    """A script entry: the customer answers with these words."""
    return {"result": "answered", "transcript": transcript, "delay_seconds": 0, **more}


def silent(result: str = "no_answer", **more: object) -> dict[str, object]:
    """A script entry: nobody answers."""
    return {"result": result, "delay_seconds": 0, **more}


def payload(*script: dict[str, object], **changes: Any) -> dict[str, Any]:
    """A `task.created` payload; `script` is how the simulated customer behaves, attempt by attempt."""
    number = next(_numbers)
    metadata = {
        "customer_id": f"CUST{number}",
        "phone": f"1380013{number % 10000:04}",
        "pending_reason": "等待配件",
        "simulation": list(script) or [answered()],
    } | changes.pop("metadata", {})
    return {
        "task_id": f"HT{number:08}",
        "order_id": f"SO{number:08}",
        "order_type": "未上门",
        "contact_count": 0,
        "metadata": metadata,
    } | changes


def submission(*script: dict[str, object], **changes: Any) -> Submission:
    """A valid order at a door."""
    return Submission(TaskCreated.model_validate(payload(*script, **changes)))
