"""`unpend alert`: lists alerts, acknowledges and resolves them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet.command.client import connected, moment, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of, text_of
from fleet.command.output import AsJson, show_json, show_line, show_table

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="What a person should look at: list, acknowledge, resolve."
)

_LONGEST_NOTE = 500


class AlertState(StrEnum):
    """Which alerts to list."""

    PENDING_REVIEW = "pending_review"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    ALL = "all"


class Severity(StrEnum):
    """How grave what an alert reports is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


AlertId = Annotated[str, typer.Argument(metavar="ID", help="An alert_id; `unpend alert list` shows them.")]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="What was found or done.")]


@application.command("list")
def list_alerts(
    status: Annotated[AlertState, typer.Option("--status", help="Which.")] = AlertState.PENDING_REVIEW,
    alert_type: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Of this type.")] = None,
    severity: Annotated[Severity | None, typer.Option("--severity", help="As bad as this.")] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="ID", help="About this task.")] = None,
    escalated_to: Annotated[str | None, typer.Option(metavar="ROLE", help="For this role.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List alerts, the newest first."""
    wanted = {
        "status": None if status is AlertState.ALL else status.value,
        "type": text_of(alert_type, "--type") if alert_type else None,
        "severity": severity.value if severity else None,
        "task_id": text_of(task, "--task") if task else None,
        "escalated_to": text_of(escalated_to, "--escalated-to") if escalated_to else None,
    }
    with connected(data_dir) as api:
        alerts = api.rows("alerts", "alerts", limit, **wanted)
    if as_json:
        show_json(alerts)
        return
    if not alerts:
        show_line("there are no such alerts")
        return
    show_table(
        ("alert", "raised", "severity", "type", "task", "message", "for", "status", "by"),
        [
            (
                alert["alert_id"],
                f"{moment(alert['raised_at']):%Y-%m-%d %H:%M %Z}",
                *(alert[name] for name in ("severity", "alert_type", "task_id", "message", "escalated_to")),
                alert["status"],
                alert["handled_by"],
            )
            for alert in alerts
        ],
    )


@application.command("acknowledge")
def acknowledge(alert_id: AlertId, by: By = None, note: Note = None, data_dir: DataDir = None) -> None:
    """Say that somebody has seen an alert and looks into it."""
    _attend(alert_id, "acknowledge", by, note, data_dir)


@application.command("resolve")
def resolve(alert_id: AlertId, by: By = None, note: Note = None, data_dir: DataDir = None) -> None:
    """Say that what an alert was about is dealt with; this is final."""
    _attend(alert_id, "resolve", by, note, data_dir)


def _attend(alert_id: str, verb: str, by: str | None, note: str | None, data_dir: Path | None) -> None:
    attention = {"by": name_of(by), "note": _note(note)}
    with (
        connected(data_dir) as api,
        refusals(
            not_found=f"there is no alert {alert_id}; `unpend alert list --status all` shows the newest",
            conflict=lambda details: (
                f"alert {alert_id} was resolved by {details['handled_by']}, which is final"
            ),
        ),
    ):
        taken = api.post(f"alerts/{segment(alert_id)}/{verb}", attention)
    alert, before = taken["alert"], "was before" if taken["outcome"] == "repeated" else "is"
    show_line(f"alert {alert_id} {before} {alert['status']} by {alert['handled_by']}")


def _note(note: str | None) -> str | None:
    if note is None:
        return None
    if not 0 < len(note) <= _LONGEST_NOTE:
        raise CommandError(f"--note must have 1 to {_LONGEST_NOTE} characters", 2)
    return text_of(note, "--note")
