"""Tasks that come in by concurrent requests, accepted batch by batch: one batch under way for each form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Self

from fastapi import Depends

from api.server.coalescer import Coalescer
from api.server.services import Caller, RequestName, TraceName, kept
from engine.engine import Engine
from storage.core.unavailable import StorageUnavailable
from tasks.forms import EntryPoint, ReadTask, Sender, TaskForm, TaskForms, TaskReceipt


@dataclass(frozen=True, slots=True)
class TaskIntake:
    """Accepts tasks of every form that is registered."""

    forms: TaskForms
    _batches: Mapping[str, Coalescer[Any, TaskReceipt]]

    @classmethod
    def over(cls, forms: TaskForms, engine: Callable[[], Engine]) -> Self:
        """The intake of these forms; nothing is connected yet."""

        def accept(form: TaskForm, submissions: Sequence[Any]) -> Sequence[TaskReceipt]:
            return form.accept(engine(), submissions, EntryPoint.HTTP)

        batches = {
            form.product: Coalescer(partial(accept, form), of_all=(StorageUnavailable,)) for form in forms.all
        }
        return cls(forms, batches)

    async def accept(self, task: ReadTask) -> TaskReceipt:
        """Accept one task; when this returns, everything is committed."""
        return await self._batches[task.form.product].submit(task.submission)

    def end(self) -> None:
        """End nothing: every request is answered once its task is committed."""

    async def close(self) -> None:
        """Finish what is under way; take nothing more."""
        for batch in self._batches.values():
            await batch.close()


async def sender_of(caller: Caller, request_id: RequestName, trace_id: TraceName) -> Sender:
    """Who sends a task with this request."""
    return Sender(caller.agent_id, request_id, caller.default_mode, trace_id=trace_id)


GivenIntake = Annotated[TaskIntake, kept(TaskIntake)]
GivenSender = Annotated[Sender, Depends(sender_of)]
"""Who sends the tasks of the request."""
