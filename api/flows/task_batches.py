"""Many tasks in one request, each with its own result (SPEC.md §5)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Response

from api.server.authentication import requires
from api.server.errors import documented
from api.server.route import Route
from api.server.services import GivenParts
from api.task_intake import GivenSender
from schemas.access.scopes import Scope
from schemas.core.alternatives import ReadAs
from schemas.core.error import Code
from schemas.flows.tasks import BatchTaken, ItemError, ItemTaken, batch_of
from tasks.flows.task_batch import BatchItemResult, accept_batch
from tasks.forms import Acceptance, EntryPoint, TaskForms, TaskReceipt

BATCH_PATH: Final = "/tasks/batch"
LARGEST_BATCH_BODY: Final = 4 * 1_048_576
"""Bytes the body of a batch may have."""


def router_of(forms: TaskForms) -> APIRouter:
    """The route for batches of tasks of these forms."""
    router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

    @router.post(
        BATCH_PATH.removeprefix(router.prefix),
        summary="Ask for up to a thousand tasks",
        response_model=BatchTaken,
        dependencies=[requires(Scope.TASKS, repeatable=True)],
        responses=documented(Code.PAYLOAD_TOO_LARGE),
    )
    def create_tasks(
        body: Annotated[Any, Body(), ReadAs(batch_of(forms.body))],
        parts: GivenParts,
        sender: GivenSender,
    ) -> Response:
        """Orders and general work in any mixture; an item that is refused harms no other.

        What is accepted is committed when this answers. Refused items are kept, and can be corrected and replayed.
        """
        items = accept_batch(parts.engine, forms, body.tasks, sender, EntryPoint(body.source))
        results = [item.receipt.result for item in items]
        accepted, existing = results.count(Acceptance.ACCEPTED), results.count(Acceptance.EXISTING)
        taken = BatchTaken(
            accepted=accepted,
            existing=existing,
            rejected=len(items) - accepted - existing,
            results=[_item(index, item) for index, item in enumerate(items)],
        )
        # Written here: the framework would check a thousand results a second time before it writes them.
        return Response(taken.model_dump_json(), media_type="application/json")

    return router


_Code = Literal["VALIDATION_FAILED", "STATE_CONFLICT", "SERVICE_UNAVAILABLE"]
_CODES: Final[Mapping[Acceptance, _Code]] = MappingProxyType(
    {
        Acceptance.INVALID: "VALIDATION_FAILED",
        Acceptance.UNSTORABLE: "VALIDATION_FAILED",
        Acceptance.OVERLOADED: "SERVICE_UNAVAILABLE",
    }
)
"""Of what is refused for what is in it, or for the moment; the rest conflicts with what there is."""


def _item(index: int, item: BatchItemResult) -> ItemTaken:
    receipt = item.receipt
    is_in = receipt.result in (Acceptance.ACCEPTED, Acceptance.EXISTING)
    return ItemTaken(
        index=index,
        task_id=receipt.task_id,
        verdict="rejected"
        if not is_in
        else "accepted"
        if receipt.result is Acceptance.ACCEPTED
        else "existing",
        status=item.status.value if item.status else None,
        state=receipt.state,
        error=None if is_in else _error(receipt),
    )


def _error(receipt: TaskReceipt) -> ItemError:
    return ItemError(
        code=_CODES.get(receipt.result, "STATE_CONFLICT"),
        message="; ".join(f"{problem.field}: {problem.message}" for problem in receipt.problems),
        details={"fields": [problem.model_dump() for problem in receipt.problems]},
    )
