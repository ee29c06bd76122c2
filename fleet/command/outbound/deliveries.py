"""`unpend webhooks log` and `replay`: what became of each message to a subscriber, and sending it again."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from fleet.command.client import ADMIN, Client, connected, moment, refusals, segment
from fleet.command.failure import CommandError
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of
from fleet.command.output import AsJson, show_json, show_line, show_table


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


def log(
    subscriber: Annotated[str | None, typer.Option(metavar="ID", help="Of this subscriber only.")] = None,
    task: Annotated[str | None, typer.Option(metavar="ID", help="Of this task only.")] = None,
    state: Annotated[DeliveryState | None, typer.Option(help="Only deliveries that stand so.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data_dir: DataDir = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only those whose last try failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first."""
    wanted = {"subscriber_id": subscriber, "task_id": task, "state": state and state.value}
    with connected(data_dir, ADMIN) as api:
        deliveries = api.rows("webhooks/deliveries", "deliveries", limit, failed=failed, **wanted)
    if as_json:
        show_json(deliveries)
        return
    if not deliveries:
        show_line("there are no such deliveries")
        return
    show_table(
        ("delivery", "subscriber", "event", "task", "made", "tries", "state", "last try"),
        [
            (d["delivery_id"], d["subscriber_id"], d["event_type"], d["task_id"], shown(d["created_at"]),
             d["tries"], d["state"], _last_try(d))
            for d in deliveries
        ],
    )  # fmt: skip


def replay(
    delivery_id: Annotated[
        str | None, typer.Argument(metavar="[DELIVERY_ID]", help="One delivery; or --since and --subscriber.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="ISO", help="All made since then; UTC without an offset.")
    ] = None,
    subscriber: Annotated[str | None, typer.Option(metavar="ID", help="Whose, with --since.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="With --since: only what was given up.")] = False,
) -> None:
    """Send deliveries again, under the same ids."""
    who = name_of(by)
    many = since is not None and subscriber is not None
    if (delivery_id is None) is not many or (not many and (since or subscriber or failed)):
        raise CommandError("replay needs either a DELIVERY_ID, or --since with --subscriber", 2)
    with connected(data_dir, ADMIN) as api:
        if delivery_id is not None:
            outcome = _replay_one(api, delivery_id, who)
        else:
            outcome = _replay_many(api, str(subscriber), str(since), who, failed=failed)
    show_line(outcome)


def _replay_one(api: Client, delivery_id: str, who: str | None) -> str:
    with refusals(
        not_found=f"there is no delivery {delivery_id}; `unpend webhooks log` shows them",
        conflict=lambda _: "its subscriber said it is gone and is told nothing; add it anew",
    ):
        replayed = api.post(f"webhooks/deliveries/{segment(delivery_id)}/replay", by=who)
    if replayed["outcome"] == "hastened":
        return f"{delivery_id} was waiting anyway; its next try comes within 30 s"
    return f"{delivery_id} is sent again"


def _replay_many(api: Client, subscriber_id: str, since: str, who: str | None, *, failed: bool) -> str:
    try:
        given = datetime.fromisoformat(since)
    except ValueError as error:
        raise CommandError("--since is not a moment such as 2026-03-20T14:00 or with +08:00", 2) from error
    given = given if given.tzinfo else given.replace(tzinfo=UTC)
    wanted = {"subscriber_id": subscriber_id, "since": given.isoformat(), "failed": failed}
    with refusals(
        not_found=unknown_subscriber(subscriber_id),
        conflict=lambda _: f"subscriber {subscriber_id} said it is gone and is told nothing; add it anew",
    ):
        return f"sent again: {api.post('webhooks/deliveries/replay', wanted, by=who)['replayed']}"


def _last_try(delivery: dict[str, Any]) -> str:
    return delivery["last_error"] or (str(delivery["last_status"]) if delivery["last_status"] else "")


def shown(written: str) -> str:
    """A moment as tables show it."""
    return f"{moment(written):%Y-%m-%d %H:%M:%S}Z"


def unknown_subscriber(subscriber_id: str) -> str:
    """What is said where there is no such subscriber."""
    return f"there is no subscriber {subscriber_id}; `unpend webhooks list` shows them"
