"""`unpend task`: look at orders, start, cancel, pause or resume one, and take a cancellation back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.command.client import ADMIN, CONFLICT, OPERATOR, ApiRefused, connected, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.output import AsJson, show_json, show_line, show_table
from runtime.mask import mask_text
from statemachine.orders.states import State

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Look at orders; start, cancel, pause or resume one."
)

LONGEST_NAME = 32
"""Characters a name may have that history keeps."""

TaskId = Annotated[str, typer.Argument(metavar="ID", help="A task_id such as HT20260313001.")]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="A name that history keeps beside the key; who did it is the key's owner.",
    ),
]


@application.command("show")
def show(
    task_id: TaskId,
    by: By = None,
    data_dir: DataDir = None,
    *,
    words: Annotated[
        bool,
        typer.Option("--words", help="Also what the customer said; the order's audit log keeps who looked."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show an order and everything that happened to it, in business time."""
    from fleet.command.orders.dossier import document_of, show_dossier

    who = name_of(by)
    with connected(data_dir, ADMIN if words else OPERATOR) as api, refusals(not_found=unknown(task_id)):
        dossier = api.get(f"tasks/{segment(task_id)}/dossier", words=words, by=who)
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
    with connected(data_dir) as api:
        rows = api.rows("orders", "orders", limit, state=state and state.value)
    if as_json:
        show_json(rows)
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
                f"{moment(row['next_contact_time']):%Y-%m-%d %H:%M %Z}" if row["next_contact_time"] else "",
                row["finish_reason"] or "",
            )
            for row in rows
        ],
    )


@application.command("cancel")
def cancel(
    task_id: TaskId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; history keeps it.")],
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Cancel an order, whatever it is at."""
    if not reason.strip():
        raise CommandError("--reason must say why", 2)
    body = {"reason": text_of(reason, "--reason")}
    changed = _steered(task_id, "cancel", by, data_dir, body)
    show_line(f"task {task_id} {'is cancelled' if changed else 'was cancelled before'}")


@application.command("start")
def start(task_id: TaskId, by: By = None, data_dir: DataDir = None) -> None:
    """Begin an order that came with `hold`; any other is shown as it stands."""
    who = name_of(by)
    with connected(data_dir) as api, refusals(not_found=unknown(task_id)):
        answer = api.post(f"tasks/{segment(task_id)}/start", by=who)
    show_line(f"task {task_id} is {answer['status']}; next: {answer['next_action']}")


@application.command("pause")
def pause(task_id: TaskId, by: By = None, data_dir: DataDir = None) -> None:
    """Let nothing new begin in an order; times that were set stay."""
    changed = _steered(task_id, "pause", by, data_dir)
    show_line(f"task {task_id} {'is paused' if changed else 'was paused before'}")


@application.command("resume")
def resume(task_id: TaskId, by: By = None, data_dir: DataDir = None) -> None:
    """Let a paused order go on; what came due meanwhile is due now."""
    changed = _steered(task_id, "resume", by, data_dir)
    show_line(f"task {task_id} {'goes on' if changed else 'was not paused'}")


@application.command("undo")
def undo(
    task_id: TaskId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; history keeps it.")],
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Take an order's cancellation back while it waits out its window; a person decides it then."""
    who, why = name_of(by), _why(reason)
    with (
        connected(data_dir) as api,
        refusals(
            not_found=unknown(task_id),
            conflict=lambda details: (
                f"the cancellation of task {task_id} "
                + ("is being carried out" if details["under_way"] else "does not wait to be carried out")
                + "; nothing was changed"
            ),
        ),
    ):
        answer = api.post(f"tasks/{segment(task_id)}/undo", {"reason": why}, by=who)
    before = " before" if answer["outcome"] == "repeated" else ""
    show_line(
        f"the cancellation of task {task_id} was taken back{before}; review {answer['review_id']} decides"
    )


@application.command("take-back")
def take_back(
    task_id: TaskId,
    action_id: Annotated[str, typer.Argument(metavar="ACTION_ID", help="The action, as its alert names it.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; history keeps it.")],
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Take back what the order system did while its order ended otherwise (alert `action_unmatched`)."""
    who, why = name_of(by), _why(reason)
    with (
        connected(data_dir) as api,
        refusals(
            not_found=f"task {task_id} has no action {action_id}; `unpend alert list` names what can be taken back",
            conflict=lambda details: (
                f"action {action_id} is '{details['action_status']}'; it was not taken back: "
                + (
                    "the order system refuses"
                    if details["action_status"] == "unmatched"
                    else "the order took note of it"
                )
            ),
        ),
    ):
        path = f"tasks/{segment(task_id)}/actions/{segment(action_id)}/take-back"
        answer = api.post(path, {"reason": why}, by=who)
    before = " before" if answer["outcome"] == "repeated" else ""
    show_line(f"the order system took action {action_id} of task {task_id} back{before}")


def unknown(task_id: str) -> str:
    """What is said where there is no such order."""
    return f"there is no task {task_id}; `unpend task list` shows the newest"


def _why(reason: str) -> str:
    if not reason.strip():
        raise CommandError("--reason must say why", 2)
    return text_of(reason, "--reason")


def name_of(by: str | None) -> str | None:
    """A name as history can hold it; `None` where none was given.

    Raises:
        CommandError: it is empty or too long.
    """
    if by is None:
        return None
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


def _steered(task_id: str, verb: str, by: str | None, data_dir: Path | None, body: Any = None) -> bool:
    """Whether this was carried out now, and not before.

    Raises:
        CommandError: there is no such task, or it has ended.
    """
    who = name_of(by)
    with connected(data_dir) as api, refusals(not_found=unknown(task_id)):
        try:
            answer = api.post(f"tasks/{segment(task_id)}/{verb}", body, by=who)
        except ApiRefused as error:
            if error.status != CONFLICT:
                raise
            order = api.get(f"tasks/{segment(task_id)}/dossier")["order"]
            if order["status"] == State.CLOSED:
                ended = f"task {task_id} is closed already ({order['finish_reason']}); nothing was changed"
            else:
                ended = f"the run of task {task_id} has ended; see `unpend why {task_id}`"
            raise CommandError(ended) from error
    return bool(answer["outcome"] == "applied")
