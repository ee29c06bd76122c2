"""`unpend webhooks log` and `replay`: what became of each message to a subscriber, and sending it again."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.command.failure import CommandError
from fleet.command.location import DataDir, opened
from fleet.command.orders.task import By, name_of
from fleet.command.output import AsJson, show_json, show_line, show_table

if TYPE_CHECKING:
    from storage.core.unit_of_work import UnitOfWork
    from storage.outbound.deliveries import Delivery


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
    from storage.outbound.deliveries import Deliveries

    with opened(data_dir) as database, database.snapshot() as work:
        deliveries = Deliveries(work).log(
            subscriber_id=subscriber,
            task_id=task,
            state=state.value if state else None,
            failed=failed,
            limit=limit,
        )
    if as_json:
        show_json(deliveries)
        return
    if not deliveries:
        show_line("there are no such deliveries")
        return
    show_table(
        ("delivery", "subscriber", "event", "task", "made", "tries", "state", "last try"),
        [
            (d.delivery_id, d.subscriber_id, d.event_type, d.task_id, shown(d.created_at), d.tries, d.state,
             _last_try(d))
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
    by: By = "operator",
    data_dir: DataDir = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="With --since: only what was given up.")] = False,
) -> None:
    """Send deliveries again, under the same ids."""
    from storage.access.system_audit import SystemAudit

    who = name_of(by)
    many = since is not None and subscriber is not None
    if (delivery_id is None) is not many or (not many and (since or subscriber or failed)):
        raise CommandError("replay needs either a DELIVERY_ID, or --since with --subscriber", 2)
    with opened(data_dir) as database, database.transaction() as work:
        if delivery_id is not None:
            told, which = _replay_one(work, delivery_id), {"delivery_id": delivery_id}
        else:
            assert since is not None
            assert subscriber is not None
            told = _replay_many(work, subscriber, since, failed=failed)
            which = {"subscriber_id": subscriber, "since": since}
        SystemAudit(work).write(who, "deliveries_replayed", which)
    show_line(told)


def _replay_one(work: UnitOfWork, delivery_id: str) -> str:
    from storage.outbound.deliveries import HASTENED_SECONDS, Deliveries, ReplayResult

    match Deliveries(work).replay(delivery_id):
        case ReplayResult.UNKNOWN:
            raise CommandError(f"there is no delivery {delivery_id}; `unpend webhooks log` shows them")
        case ReplayResult.INACTIVE:
            raise CommandError("its subscriber said it is gone and is told nothing; add it anew")
        case ReplayResult.HASTENED:
            return f"{delivery_id} was waiting anyway; its next try comes within {HASTENED_SECONDS} s"
        case ReplayResult.AGAIN:
            return f"{delivery_id} is sent again"


def _replay_many(work: UnitOfWork, subscriber_id: str, since: str, *, failed: bool) -> str:
    from storage.outbound.deliveries import Deliveries
    from storage.outbound.subscribers import Subscribers

    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        raise CommandError("--since is not a moment such as 2026-03-20T14:00 or with +08:00", 2) from error
    found = Subscribers(work).find(subscriber_id)
    if found is None:
        raise unknown_subscriber(subscriber_id)
    if not found.active:
        raise CommandError(f"subscriber {subscriber_id} said it is gone and is told nothing; add it anew")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"sent again: {Deliveries(work).replay_since(subscriber_id, moment, failed=failed)}"


def _last_try(delivery: Delivery) -> str:
    return delivery.last_error or (str(delivery.last_status) if delivery.last_status else "")


def shown(moment: datetime) -> str:
    """A moment as tables show it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def unknown_subscriber(subscriber_id: str) -> CommandError:
    """There is no such subscriber."""
    return CommandError(f"there is no subscriber {subscriber_id}; `unpend webhooks list` shows them")
