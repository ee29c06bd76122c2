"""Every state a step can be in: a situation, what it waits for, and words that must be told of it."""

from statemachine.orders.states import State
from statemachine.workflow.states import RunState
from tasks.orders.explain.explanation import Wait
from tasks.orders.explain.situation import Situation
from tests.support.explain.situations import (
    BY_BUSINESS,
    BY_DATABASE,
    contact,
    order,
    paused,
    review,
    run,
    shortly,
    situation,
    soon,
    step,
)


def snoozed(message: str) -> dict[str, str]:
    return {"code": "snoozed", "message": message}


CASES: dict[str, tuple[Situation, Wait, tuple[str, ...]]] = {
    "a retry after a fault": (
        situation(
            step(
                "step7_execute",
                "scheduled",
                tries=1,
                due_at=shortly(seconds=1),
                due_clock=BY_DATABASE,
                error={"code": "calendar_away", "message": "timed out"},
            )
        ),
        Wait.RETRY,
        ("retry 1 of 执行动作", "timed out", "calendar_away", "for 1.0 s more", "升级人工 follows"),
    ),
    "an attempt deferred by the contact hours": (
        situation(
            step(
                "step3_contact",
                "scheduled",
                due_at=soon(hours=4),
                due_clock=BY_BUSINESS,
                error=snoozed("it is outside the hours in which customers are contacted"),
            )
        ),
        Wait.PERMITTED_TIME,
        ("outside the hours", "until Mon 2026-03-16 14:00 (in 4 h)", "Then 联系用户 makes the attempt"),
    ),
    "an attempt whose outcome is unknown": (
        situation(
            step(
                "step3_contact",
                "scheduled",
                due_at=shortly(seconds=5),
                due_clock=BY_DATABASE,
                error=snoozed("outcome unknown, asking the channel: timed out"),
            )
        ),
        Wait.LOOK_AGAIN,
        ("outcome unknown", "for 5.0 s more", "costs no retry"),
    ),
    "the gap before the next attempt": (
        situation(
            step("step4_retry_contact", "scheduled", due_at=soon(hours=4), due_clock=BY_BUSINESS),
            of=order(State.NO_RESPONSE),
            contact=contact(status="concluded", contact_result="no_answer"),
        ),
        Wait.NEXT_ATTEMPT,
        ("attempt 1 (phone: no answer)", "until Mon 2026-03-16 14:00", "Then attempt 2 of 4 begins"),
    ),
    "a follow-up": (
        situation(
            step("step9_followup", "scheduled", due_at=soon(days=3), due_clock=BY_BUSINESS),
            of=order(State.WAITING_FOLLOWUP, user_intent_l1="暂缓", user_intent_l2="配件未到"),
        ),
        Wait.FOLLOWUP,
        ("暂缓·配件未到", "the follow-up time", "until Thu 2026-03-19 10:00 (in 3 d)", "Then round 2 begins"),
    ),
    "the undo window of a cancellation": (
        situation(
            step("step7_execute", "scheduled", due_at=soon(minutes=30), due_clock=BY_BUSINESS),
            of=order(State.CLASSIFIED, user_intent_l1="终止", user_intent_l2="不再需要"),
        ),
        Wait.UNDO_WINDOW,
        ("undo window", "in 30 min", "carries out cancel_order", "unless `unpend task undo HT"),
    ),
    "a time that has come and was not seen yet": (
        situation(
            step("step9_followup", "scheduled", due_at=soon(seconds=-2), due_clock=BY_BUSINESS),
            of=order(State.WAITING_FOLLOWUP),
        ),
        Wait.FOLLOWUP,
        ("due 2.0 s ago", "Its time has come, the tick takes it up"),
    ),
    "a ready row with others before it": (
        situation(step("step5_triage", "ready", ready_at=shortly(seconds=-3), ahead=12)),
        Wait.ROOM,
        ("room in the queue triage, 12 rows ahead of it", "for 3.0 s now", "Then 意图识别 is published"),
    ),
    "a ready row that is next": (
        situation(step("step5_triage", "ready", ready_at=shortly(seconds=-3), ahead=0)),
        Wait.ROOM,
        ("first in line",),
    ),
    "a ready row whose worker died": (
        situation(step("step5_triage", "ready", ready_at=shortly(), ahead=1, crashes=2, delivery=3)),
        Wait.ROOM,
        ("1 row ahead of it", "Its worker was lost in this step 2 times, so the row travels alone"),
    ),
    "a published row": (
        situation(step("step5_triage", "published", published_at=shortly(seconds=-1), ahead=1)),
        Wait.WORKER,
        ("a worker of triage to take its message, 1 row ahead of it", "published again by the tick"),
    ),
    "a leased row": (
        situation(
            step(
                "step5_triage",
                "leased",
                started_at=shortly(seconds=-2),
                holder="worker-triage@host:42",
                expires_at=shortly(seconds=10),
            )
        ),
        Wait.RESULT,
        ("意图识别, at work in worker-triage@host:42", "for 2.0 s now", "for 10 s more"),
    ),
    "a leased row whose worker fell silent": (
        situation(
            step(
                "step5_triage",
                "leased",
                started_at=shortly(seconds=-20),
                holder="worker-triage@host:42",
                expires_at=shortly(seconds=-8),
            )
        ),
        Wait.RESULT,
        ("no longer renews", "due 8.0 s ago", "gives the row to another worker"),
    ),
    "a call whose result is to come": (
        situation(
            step("step3_contact", "parked", due_at=shortly(minutes=9), due_clock=BY_DATABASE),
            contact=contact(),
        ),
        Wait.CALL_RESULT,
        (
            "attempt 1 of 4 (phone, CONT1)",
            "since Mon 2026-03-16 09:59",
            "for 9 min more",
            "no answer leads to attempt 2",
            "the channel is asked",
        ),
    ),
    "the last text without an answer": (
        situation(
            step("step3_contact", "parked", due_at=soon(hours=24), due_clock=BY_BUSINESS),
            of=order(contact_count=4),
            contact=contact(contact_method="im", contact_no=4),
        ),
        Wait.ANSWER,
        ("the customer's answer to attempt 4 of 4 (instant message", "closes the task as contact_failed"),
    ),
    "a wait for a signal": (
        situation(
            step("step3_contact", "parked", error={"code": "parked", "message": "waiting for the parcel"})
        ),
        Wait.SIGNAL,
        ("a signal that ends 联系用户 (waiting for the parcel)",),
    ),
    "a held order": (
        situation(step("step2_validate", "parked"), of=order(State.PENDING, round=0, contact_count=0)),
        Wait.START,
        (
            "(pending) waits for somebody to start it",
            "`POST /v1/tasks/HT1/start` or `unpend task start HT1` begins it",
        ),
    ),
    "a call from outside": (
        situation(step("step3_contact", "offered", due_at=soon(hours=24), due_clock=BY_BUSINESS)),
        Wait.CALLER,
        ("an outside agent to call for 联系用户", "manual mode", "if nobody calls by then a person is asked"),
    ),
    "a person who confirms": (
        situation(
            step("step6_human_review", "parked", due_at=soon(hours=23), due_clock=BY_BUSINESS),
            of=order(State.RESPONDED),
            review=review(),
        ),
        Wait.PERSON,
        (
            "a person's decision (人工复核, REV1): “置信度不足” (low confidence)",
            "until Tue 2026-03-17 09:00",
            "classify → 执行动作, recontact → 联系用户, close → end",
            "if nobody does in time, an alert is raised",
            "`unpend review decide REV1 --decision classify|recontact|close`",
        ),
    ),
    "a person who is late": (
        situation(
            step("step6_human_review", "parked"),
            of=order(State.RESPONDED),
            review=review(deadline_at=soon(hours=-3)),
        ),
        Wait.PERSON,
        ("due 3 h ago", "nobody decided in time, an alert was raised"),
    ),
    "a poisonous row": (
        situation(
            step("escalate_human", "parked", due_at=soon(hours=23), due_clock=BY_BUSINESS),
            of=order(State.RESPONDED),
            review=review(
                node="escalate_human",
                reason="poison",
                question="the step ended its worker 4 times and was taken out; see its error",
                context={"origin": "step5_triage"},
                decisions=["retry", "close"],
            ),
        ),
        Wait.PERSON,
        (
            "after 意图识别",
            "ended its worker 4 times",
            "(interrupted again and again)",
            "retry → 意图识别 again",
        ),
    ),
    "a paused follow-up": (
        situation(
            step("step9_followup", "scheduled", due_at=soon(days=3), due_clock=BY_BUSINESS),
            of=order(State.WAITING_FOLLOWUP),
            in_run=run(RunState.PAUSED),
            paused=paused(),
        ),
        Wait.RESUME,
        (
            "somebody to resume it (paused by operator)",
            "since Mon 2026-03-16 09:30",
            "`unpend task resume HT1` lets it go on with 等待跟进, which keeps its time, until Thu",
        ),
    ),
    "a paused row that is at work": (
        situation(
            step("step5_triage", "leased", holder="w", expires_at=shortly(seconds=9)),
            in_run=run(RunState.PAUSED),
            paused=paused(),
        ),
        Wait.RESUME,
        ("意图识别 is at work and is still recorded, nothing follows it",),
    ),
    "a paused call": (
        situation(step("step3_contact", "parked"), contact=contact(), in_run=run(RunState.PAUSED)),
        Wait.RESUME,
        ("What the customer answers is still recorded", "somebody to resume it"),
    ),
    "a failed run": (
        situation(
            of=order(State.RESPONDED),
            in_run=run(
                RunState.FAILED,
                error={"code": "state_conflict", "message": "cannot take it", "step": "escalate_human"},
                finished_at=shortly(minutes=-1),
            ),
        ),
        Wait.FAULT,
        ("has ended failed at 升级人工: cannot take it [state_conflict]", "a fault of the fleet"),
    ),
    "a run without an open step": (
        situation(),
        Wait.FAULT,
        ("none of its steps is open", "Nothing moves it by itself"),
    ),
}
