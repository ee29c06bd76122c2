"""Situations of an order, with what a test cares about and plausible rest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from runtime.cipher import Cipher, Sealed
from runtime.clock import Anchor, Clock
from schemas.core.definition.reader import read_definition
from statemachine.orders.states import Event, State
from statemachine.workflow.states import RunState, StepState
from storage.engine.clock import Moments
from storage.engine.runs import RunRow
from storage.orders.contacts.contact import Contact
from storage.orders.order import Order
from storage.orders.order_view import AuditMark, OpenStep
from storage.people.reviews import Review
from tasks.orders.explain.situation import LastMove, Situation

BUSINESS = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)
"""Monday 10:00 in Shanghai."""
DATABASE = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
PENDING_TASK = read_definition(
    yaml.safe_load(
        (Path(__file__).parents[3] / "config" / "workflows" / "pending_task_1.0.yaml").read_text(
            encoding="utf-8"
        )
    )
)


def soon(**length: float) -> datetime:
    """A business moment so far from now."""
    return BUSINESS + timedelta(**length)


def shortly(**length: float) -> datetime:
    """A moment of the database's clock so far from now."""
    return DATABASE + timedelta(**length)


def order(status: State = State.CONTACTING, **changes: Any) -> Order:
    """An order in its first round."""
    usual: dict[str, Any] = {
        "task_id": "HT1",
        "order_id": "SO1",
        "order_type": "未上门",
        "status": status,
        "contact_count": 1,
        "max_contacts": 4,
        "last_contact_time": None,
        "next_contact_time": None,
        "user_intent_l1": None,
        "user_intent_l2": None,
        "confidence": None,
        "created_at": soon(hours=-2),
        "updated_at": soon(hours=-1),
        "finished_at": None,
        "finish_reason": None,
        "metadata": {},
        "version": 3,
        "round": 1,
        "contacts_total": 1,
        "priority": 5,
        "mode": "auto",
        "run_id": "exec_1",
        "phone_index": None,
        "followup_rule": None,
        "sealed_phone": None,
        "sealed_digest": Sealed(b"", "tasks.digest.HT1", Cipher(Cipher.new_key())),
    }
    return Order(**(usual | changes))


def step(node: str, state: str, **changes: Any) -> OpenStep:
    """An open step of `pending_task`."""
    kind = PENDING_TASK.steps[node].kind.value
    usual: dict[str, Any] = {
        "step_id": 7,
        "node": node,
        "kind": kind,
        "queue": PENDING_TASK.steps[node].agent,
        "state": StepState(state),
        "delivery": 1,
        "tries": 0,
        "crashes": 0,
        "due_at": None,
        "due_clock": None,
        "error": None,
        "created_at": shortly(minutes=-5),
        "started_at": None,
        "published_at": None,
        "ready_at": None,
        "holder": None,
        "expires_at": None,
        "ahead": None,
    }
    return OpenStep(**(usual | changes))


def run(state: RunState = RunState.RUNNING, **changes: Any) -> RunRow:
    """The order's run."""
    usual: dict[str, Any] = {
        "run_id": "exec_1",
        "workflow": "pending_task",
        "version": "1.0",
        "subject_id": "HT1",
        "state": state,
        "priority": 5,
        "variables": {},
        "open_steps": 1,
        "request_id": None,
        "deadline_at": None,
        "error": None,
        "created_at": shortly(minutes=-9),
        "manual": False,
        "description": None,
        "created_by": None,
        "depth": 0,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "finished_at": None,
    }
    return RunRow(**(usual | changes))


def contact(**changes: Any) -> Contact:
    """An attempt made by the step at hand."""
    usual: dict[str, Any] = {
        "contact_id": "CONT1",
        "task_id": "HT1",
        "contact_method": "phone",
        "contact_result": "pending",
        "duration_seconds": None,
        "sealed_transcript": None,
        "recording_url": None,
        "sealed_feedback": None,
        "contact_time": soon(minutes=-1),
        "key": "HT1.1.1",
        "round": 1,
        "contact_no": 1,
        "step_id": 7,
        "status": "sent",
        "provider_id": None,
        "created_at": shortly(minutes=-1),
        "direction": "outbound",
        "script_id": None,
        "script_version": None,
        "age_seconds": 60.0,
    }
    return Contact(**(usual | changes))


def review(**changes: Any) -> Review:
    """An open question of the human step at hand."""
    usual: dict[str, Any] = {
        "review_id": "REV1",
        "step_id": 7,
        "run_id": "exec_1",
        "task_id": "HT1",
        "node": "step6_human_review",
        "reason": "low_confidence",
        "question": "置信度不足",
        "context": {},
        "decisions": ["classify", "recontact", "close"],
        "state": "open",
        "opened_at": soon(hours=-1),
        "deadline_at": soon(hours=23),
        "decided_at": None,
        "decided_by": None,
        "decision": None,
    }
    return Review(**(usual | changes))


def situation(
    *steps: OpenStep, of: Order | None = None, in_run: RunRow | None = None, **changes: Any
) -> Situation:
    """The situation of an order with these open steps."""
    usual: dict[str, Any] = {
        "subject": "HT1",
        "order": of or order(),
        "run": in_run or run(),
        "workflow": PENDING_TASK,
        "steps": steps,
        "moments": Moments(Anchor(DATABASE, BUSINESS, 1.0), DATABASE),
        "zone": ZoneInfo("Asia/Shanghai"),
        "last_move": LastMove(event=Event.START, agent_id="orchestrator", at=soon(hours=-1)),
    }
    return Situation(**(usual | changes))


def paused(by: str = "operator") -> AuditMark:
    """Who paused it, half an hour ago."""
    return AuditMark(by, soon(minutes=-30), {})


BY_DATABASE = Clock.DATABASE.value
BY_BUSINESS = Clock.BUSINESS.value
