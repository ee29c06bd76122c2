"""Many tasks in one request, each with its own verdict (SPEC.md §5)."""

from typing import Final

from fastapi import APIRouter, Response

from api.server.authentication import requires
from api.server.errors import documented
from api.server.route import Route
from api.server.services import Caller, GivenParts, RequestName
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.flows.tasks import BatchTaken, ItemError, ItemTaken, TaskBatchSent
from schemas.orders.intake import Problem
from tasks.orders.intake.intake import Door
from tasks.orders.intake.task_batch import Answer, Sender, Verdict, take_batch

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

BATCH_PATH: Final = "/tasks/batch"
LARGEST_BATCH_BODY: Final = 4 * 1_048_576
"""Bytes the body of a batch may have."""


@router.post(
    BATCH_PATH.removeprefix(router.prefix),
    summary="Ask for up to a thousand tasks",
    response_model=BatchTaken,
    dependencies=[requires(Scope.TASKS, repeatable=True)],
    responses=documented(Code.PAYLOAD_TOO_LARGE),
)
def create_tasks(body: TaskBatchSent, parts: GivenParts, caller: Caller, request_id: RequestName) -> Response:
    """Orders and general work in any mixture; an item that is refused harms no other.

    What is accepted is committed when this answers. Refused items are kept, and can be corrected and replayed.
    """
    sender = Sender(caller.agent_id, request_id, caller.default_mode, Door(body.source))
    answers = take_batch(parts.engine, parts.context, body.tasks, sender)
    verdicts = [answer.verdict for answer in answers]
    accepted, existing = verdicts.count(Verdict.ACCEPTED), verdicts.count(Verdict.EXISTING)
    taken = BatchTaken(
        accepted=accepted,
        existing=existing,
        rejected=len(answers) - accepted - existing,
        results=[_result(index, answer) for index, answer in enumerate(answers)],
    )
    # Written here: the framework would check a thousand results a second time before it writes them.
    return Response(taken.model_dump_json(), media_type="application/json")


def _result(index: int, answer: Answer) -> ItemTaken:
    taken = answer.verdict in (Verdict.ACCEPTED, Verdict.EXISTING)
    return ItemTaken(
        index=index,
        task_id=answer.task_id,
        verdict="rejected" if not taken else "accepted" if answer.verdict is Verdict.ACCEPTED else "existing",
        status=answer.status.value if answer.status else None,
        state=answer.state,
        error=None if taken else _error(answer),
    )


def _error(answer: Answer) -> ItemError:
    malformed = answer.verdict is Verdict.MALFORMED
    return ItemError(
        code="VALIDATION_FAILED" if malformed else "STATE_CONFLICT",
        message="; ".join(_said(problem) for problem in answer.problems),
        details={"fields": [problem.model_dump() for problem in answer.problems]},
    )


def _said(problem: Problem) -> str:
    return f"{problem.field}: {problem.message}"
