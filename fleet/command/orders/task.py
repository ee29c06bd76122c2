"""`unpend task`: look at orders, cancel, pause or resume one, and take a cancellation back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir, joined, opened
from fleet.command.output import AsJson, show_json, show_line, show_table
from runtime.mask import mask_text
from statemachine.orders.states import State

if TYPE_CHECKING:
    from storage.orders.order import Order
    from tasks.verbs import VerbResult

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Look at orders; cancel, pause or resume one."
)

LONGEST_NAME = 32
"""Characters a name may have that history keeps."""

TaskId = Annotated[str, typer.Argument(metavar="ID", help="A task_id such as HT20260313001.")]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who does it; history keeps it.", show_default=True)
]


@application.command("show")
def show(
    task_id: TaskId,
    by: By = "operator",
    data_dir: DataDir = None,
    *,
    words: Annotated[
        bool,
        typer.Option("--words", help="Also what the customer said; the order's audit log keeps who looked."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show an order and everything that happened to it, in business time."""
    from fleet.command.orders.dossier import document_of, read_dossier, show_dossier
    from tasks.orders.people.revealing import put_on_record

    with opened(data_dir) as database:
        if words:
            put_on_record(database, task_id, by=name_of(by))
        with database.snapshot() as work:
            dossier = read_dossier(work, task_id, words=words)
    if dossier is None:
        raise unknown(task_id)
    if as_json:
        show_json(document_of(dossier))
    else:
        show_dossier(dossier)


@application.command("list")
def list_tasks(
    state: Annotated[State | None, typer.Option("--state", help="Only orders in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List orders, the newest first."""
    from storage.orders.orders import Orders

    with opened(data_dir) as database, database.snapshot() as work:
        rows = Orders(work).recent(state.value if state else None, limit)
    if as_json:
        show_json([dict(row) for row in rows])
        return
    if not rows:
        show_line("there are no orders" + (f" in {state.value}" if state else ""))
        return
    columns = ("task", "order", "state", "round", "attempt", "priority", "intent", "next contact", "finished")
    show_table(
        columns,
        [
            (
                row["task_id"],
                row["order_id"],
                row["status"],
                row["round"],
                row["contact_count"],
                row["priority"],
                row["user_intent_l2"] or "",
                f"{row['next_contact_time']:%Y-%m-%d %H:%M %Z}" if row["next_contact_time"] else "",
                row["finish_reason"] or "",
            )
            for row in rows
        ],
    )


@application.command("cancel")
def cancel(
    task_id: TaskId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; history keeps it.")],
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Cancel an order, whatever it is at."""
    from tasks.orders.people.intervention import cancel as carry_out

    if not reason.strip():
        raise CommandError("--reason must say why", 2)
    with joined(data_dir) as process:
        became, order = carry_out(process.engine, task_id, by=name_of(by), reason=text_of(reason, "--reason"))
    _tell(task_id, became, order, done="is cancelled", before="was cancelled before")


@application.command("pause")
def pause(task_id: TaskId, by: By = "operator", data_dir: DataDir = None) -> None:
    """Let nothing new begin in an order; times that were set stay."""
    from tasks.orders.people.intervention import pause as carry_out

    with joined(data_dir) as process:
        became, order = carry_out(process.engine, task_id, by=name_of(by))
    _tell(task_id, became, order, done="is paused", before="was paused before")


@application.command("resume")
def resume(task_id: TaskId, by: By = "operator", data_dir: DataDir = None) -> None:
    """Let a paused order go on; what came due meanwhile is due now."""
    from tasks.orders.people.intervention import resume as carry_out

    with joined(data_dir) as process:
        became, order = carry_out(process.engine, task_id, by=name_of(by))
    _tell(task_id, became, order, done="goes on", before="was not paused")


@application.command("undo")
def undo(
    task_id: TaskId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; history keeps it.")],
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Take an order's cancellation back while it waits out its window; a person decides it then."""
    from tasks.orders.people.undo import Undone
    from tasks.orders.people.undo import undo as carry_out

    if not reason.strip():
        raise CommandError("--reason must say why", 2)
    with joined(data_dir) as process:
        became, order, review = carry_out(
            process.engine, task_id, by=name_of(by), reason=text_of(reason, "--reason")
        )
    if order is None:
        raise unknown(task_id)
    if review is None:
        why = "is being carried out" if became is Undone.UNDER_WAY else "does not wait to be carried out"
        raise CommandError(f"the cancellation of task {task_id} {why}; nothing was changed")
    before = " before" if became is Undone.REPEATED else ""
    show_line(f"the cancellation of task {task_id} was taken back{before}; review {review.review_id} decides")


def unknown(task_id: str) -> CommandError:
    """There is no such order."""
    return CommandError(f"there is no task {task_id}; `unpend task list` shows the newest")


def name_of(by: str) -> str:
    """A name as history can hold it.

    Raises:
        CommandError: it is empty or too long.
    """
    name = text_of(by, "--by").strip()
    if not name or len(name) > LONGEST_NAME:
        raise CommandError(f"--by must have 1 to {LONGEST_NAME} characters", 2)
    return name


def text_of(text: str, option: str) -> str:
    """A text from the command line, as the database can hold it in clear: numbers of customers masked.

    Raises:
        CommandError: it is not in the terminal's encoding.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CommandError(f"{option} is not UTF-8 text", 2) from error
    return mask_text(text)


def _tell(task_id: str, became: VerbResult, order: Order | None, *, done: str, before: str) -> None:
    from tasks.verbs import VerbResult

    if became is VerbResult.UNKNOWN or order is None:
        raise unknown(task_id)
    if became is VerbResult.ENDED and order.status is State.CLOSED:
        raise CommandError(f"task {task_id} is closed already ({order.finish_reason}); nothing was changed")
    if became is VerbResult.ENDED:
        raise CommandError(f"the run of task {task_id} has ended; see `unpend why {task_id}`")
    show_line(f"task {task_id} {done if became is VerbResult.DONE else before}")
