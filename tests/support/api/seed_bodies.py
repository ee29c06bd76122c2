"""The bodies that seed 000 prints, as it prints them (sections 三, 四, 五 and 九), by the names of our models."""

from typing import Any

REQUESTS: dict[str, Any] = {
    "TransitionRequested": {
        "task_id": "HT20260313001",
        "from_state": "pending",
        "to_state": "contacting",
        "event": "task.start",
        "agent_id": "orchestrator",
        "metadata": {"contact_count": 1, "timestamp": "2026-03-13T21:00:00Z"},
    },
    "TaskCreated": {
        "task_id": "HT20260313001",
        "order_id": "SO20260313001",
        "order_type": "未上门",
        "contact_count": 0,
        "last_contact_time": None,
        "metadata": {"customer_id": "CUST001", "phone": "138****0000", "pending_reason": "用户要求改约"},
    },
    "DispatchRequested": {
        "task_id": "HT20260313001",
        "target_agent": "action_agent",
        "action_type": "schedule_followup",
        "action_params": {"followup_date": "2026-03-16T10:00:00Z", "reason": "用户配件未到"},
    },
    "ContactInitiated": {
        "task_id": "HT20260313001",
        "contact_method": "phone",
        "phone_number": "138****0000",
        "script_id": "pending_task_v1",
        "attempt": 1,
    },
    "ContactRecorded": {
        "contact_id": "CONT001",
        "task_id": "HT20260313001",
        "result": "answered",
        "user_feedback": "配件未到,等配件到了再约",
        "raw_transcript": "...",
        "contact_time": "2026-03-13T21:05:00Z",
    },
    "ClassificationWanted": {
        "task_id": "HT20260313001",
        "user_input": "配件还没到,等配件到了再说",
        "context": {"order_type": "未上门", "pending_reason": "用户要求改约", "contact_count": 1},
    },
    "ActionWanted": {
        "task_id": "HT20260313001",
        "action_type": "schedule_followup",
        "action_params": {"followup_date": "2026-03-16T10:00:00Z", "reason": "配件未到"},
        "requires_approval": False,
    },
    "LineLogged": {
        "task_id": "HT20260313001",
        "event_type": "action_executed",
        "agent_id": "action_agent",
        "action": "schedule_followup",
        "timestamp": "2026-03-13T21:10:00Z",
        "metadata": {
            "previous_state": "classified",
            "new_state": "waiting_followup",
            "confidence": 0.95,
            "approval_required": False,
        },
    },
    "AlertSent": {
        "alert_type": "low_confidence",
        "task_id": "HT20260313001",
        "severity": "warning",
        "message": "意图识别置信度低于 60%",
        "metadata": {"confidence": 0.45, "classified_intent": "暂缓"},
    },
    "ToolCalled": {
        "tool_name": "contact_user",
        "tool_version": "1.0",
        "input": {"task_id": "HT20260313001", "phone": "138****0000", "script": "pending_task_v1"},
        "timeout_ms": 30000,
        "retry_policy": {"max_retries": 2, "retry_delay_ms": 1000},
    },
}
"""What is sent."""

ANSWERS: dict[str, Any] = {
    "TransitionMade": {
        "success": True,
        "task_id": "HT20260313001",
        "previous_state": "pending",
        "current_state": "contacting",
        "transition_id": "txn_abc123",
    },
    "TaskStarted": {
        "success": True,
        "task_id": "HT20260313001",
        "status": "contacting",
        "next_action": "contact_user",
        "assigned_agent": "contact_agent",
    },
    "Dispatched": {
        "success": True,
        "dispatch_id": "disp_xyz789",
        "target_agent": "action_agent",
        "status": "dispatched",
    },
    "ContactMade": {
        "success": True,
        "contact_id": "CONT001",
        "result": "answered",
        "duration_seconds": 120,
        "transcript": "用户表示配件未到...",
    },
    "ContactKept": {"success": True, "recorded": True, "next_step": "triage_classify"},
    "Classified": {
        "success": True,
        "classification": {
            "level1_intent": "暂缓",
            "level2_intent": "配件未到",
            "confidence": 0.95,
            "requires_human_review": False,
        },
        "suggested_action": "schedule_followup",
        "followup_days": 3,
    },
    "ActionExecuted": {
        "success": True,
        "action_id": "ACT001",
        "status": "executed",
        "result": {"followup_scheduled": True, "followup_id": "FU20260316001"},
    },
    "LineStored": {"success": True, "log_id": "LOG20260313001", "stored": True},
    "AlertTaken": {
        "success": True,
        "alert_id": "ALT001",
        "escalated_to": "quality_inspector",
        "status": "pending_review",
    },
    "ToolAnswered": {
        "success": True,
        "output": {"contact_result": "answered", "duration": 120, "transcript": "..."},
        "execution_time_ms": 5230,
    },
    "ErrorBody": {
        "success": False,
        "error": {
            "code": "STATE_CONFLICT",
            "message": "Cannot transition from 'closed' to 'contacting'",
            "details": {
                "current_state": "closed",
                "requested_state": "contacting",
                "allowed_transitions": [],
            },
        },
        "request_id": "req_abc123",
    },
}
"""What is answered; without what the seed abbreviates (`recording_url`), and moments, which we write in full."""
