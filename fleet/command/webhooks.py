"""`unpend webhooks`: who is told of what happens to tasks, and what became of it. Needs the database only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir, opened
from fleet.command.output import AsJson, show_json, show_line, show_table
from fleet.command.task import By, name_of
from schemas.upstream import MessageType

if TYPE_CHECKING:
    from storage.deliveries import Delivery
    from storage.unit_of_work import UnitOfWork
    from tools.webhook_sender import Answer, Envelope

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Other systems that are told: add, list, test, rotate, remove; what they were sent: log, replay.",
)

OVERLAP: Final = timedelta(hours=24)
"""For so long after a change messages carry the former secret's signature too."""

SubscriberId = Annotated[
    str, typer.Argument(metavar="ID", help="A subscriber_id, as `unpend webhooks list` shows it.")
]


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@application.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to; http only within the house.")],
    events: Annotated[
        list[MessageType] | None,
        typer.Option("--event", help="What to tell; again for each. Everything, when not given."),
    ] = None,
    by: By = "operator",
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell an address of what happens from now on; shows the secret, this once."""
    from tools.webhook_address import AddressRefused, check_url
    from tools.webhook_signature import new_secret

    try:
        check_url(url)
    except AddressRefused as error:
        raise CommandError(str(error), 2) from error
    who, secret = name_of(by), new_secret()
    chosen = [kind.value for kind in dict.fromkeys(events or MessageType)]
    with opened(data_dir) as database, database.transaction() as work:
        subscriber_id = work.subscribers.add(url, secret, chosen)
        work.system_audit.write(who, "subscriber_added", {"subscriber_id": subscriber_id, "events": chosen})
    if as_json:
        show_json({"subscriber_id": subscriber_id, "url": url, "events": chosen, "secret": secret})
        return
    show_line(f"subscriber {subscriber_id} is told of {', '.join(chosen)}")
    _show_once(secret)


@application.command("list")
def list_subscribers(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List subscribers, the oldest first."""
    with opened(data_dir) as database, database.snapshot() as work:
        subscribers = work.subscribers.all()
    if as_json:
        show_json(subscribers)
        return
    if not subscribers:
        show_line("nobody is told; `unpend webhooks add URL` changes that")
        return
    show_table(
        ("subscriber", "url", "events", "since", "state"),
        [
            (
                s.subscriber_id,
                s.url,
                ",".join(s.events),
                _shown(s.created_at),
                "active" if s.active else "gone",
            )
            for s in subscribers
        ],
    )


@application.command("remove")
def remove(subscriber_id: SubscriberId, by: By = "operator", data_dir: DataDir = None) -> None:
    """Forget a subscriber, with its log; what waits for it is not sent."""
    who = name_of(by)
    with opened(data_dir) as database, database.transaction() as work:
        if not work.subscribers.remove(subscriber_id):
            raise _unknown(subscriber_id)
        work.system_audit.write(who, "subscriber_removed", {"subscriber_id": subscriber_id})
    show_line(f"subscriber {subscriber_id} is removed")


@application.command("rotate")
def rotate(
    subscriber_id: SubscriberId, by: By = "operator", data_dir: DataDir = None, *, as_json: AsJson = False
) -> None:
    """Give a subscriber a new secret; for a day messages are signed with the former one too."""
    from tools.webhook_signature import new_secret

    who, secret = name_of(by), new_secret()
    with _readable_secrets(), opened(data_dir) as database, database.transaction() as work:
        if not work.subscribers.rotate(subscriber_id, secret, OVERLAP):
            raise _unknown(subscriber_id)
        work.system_audit.write(who, "subscriber_secret_changed", {"subscriber_id": subscriber_id})
    if as_json:
        show_json({"subscriber_id": subscriber_id, "secret": secret})
        return
    show_line(f"subscriber {subscriber_id} has a new secret; the former one signs too for a day")
    _show_once(secret)


@application.command("test")
def send_ping(subscriber_id: SubscriberId, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Send a signed `ping` now, from here, and show the answer; exit 1 when it was not taken."""
    import asyncio

    answer = asyncio.run(_send(_ping(subscriber_id, data_dir)))
    milliseconds = round(answer.seconds * 1000)
    if as_json:
        show_json({"delivered": answer.delivered, "status": answer.status, "error": answer.error,
                   "milliseconds": milliseconds})  # fmt: skip
    elif answer.delivered:
        show_line(f"answered {answer.status} in {milliseconds} ms")
    if not answer.delivered:
        raise CommandError(f"the ping was not taken: {answer.error}")


@application.command("log")
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
    with opened(data_dir) as database, database.snapshot() as work:
        deliveries = work.deliveries.log(
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
            (d.delivery_id, d.subscriber_id, d.event_type, d.task_id, _shown(d.created_at), d.tries, d.state,
             _last_try(d))
            for d in deliveries
        ],
    )  # fmt: skip


@application.command("replay")
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
        work.system_audit.write(who, "deliveries_replayed", which)
    show_line(told)


def _replay_one(work: UnitOfWork, delivery_id: str) -> str:
    from storage.deliveries import LEASE_SECONDS, Replayed

    match work.deliveries.replay(delivery_id):
        case Replayed.UNKNOWN:
            raise CommandError(f"there is no delivery {delivery_id}; `unpend webhooks log` shows them")
        case Replayed.INACTIVE:
            raise CommandError("its subscriber said it is gone and is told nothing; add it anew")
        case Replayed.HASTENED:
            return f"{delivery_id} was waiting anyway; its next try comes within {LEASE_SECONDS} s"
        case Replayed.AGAIN:
            return f"{delivery_id} is sent again"


def _replay_many(work: UnitOfWork, subscriber_id: str, since: str, *, failed: bool) -> str:
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        raise CommandError("--since is not a moment such as 2026-03-20T14:00 or with +08:00", 2) from error
    found = work.subscribers.find(subscriber_id)
    if found is None:
        raise _unknown(subscriber_id)
    if not found.active:
        raise CommandError(f"subscriber {subscriber_id} said it is gone and is told nothing; add it anew")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"sent again: {work.deliveries.replay_since(subscriber_id, moment, failed=failed)}"


def _ping(subscriber_id: str, data_dir: Path | None) -> Envelope:
    from runtime.ids import Prefix, new_id
    from tasks.upstream import body_of, ping
    from tools.webhook_sender import Envelope

    with _readable_secrets(), opened(data_dir) as database, database.snapshot() as work:
        subscriber, secrets = work.subscribers.find(subscriber_id), work.subscribers.secrets(subscriber_id)
        if subscriber is None or secrets is None:
            raise _unknown(subscriber_id)
        return Envelope(
            message_id=new_id(Prefix.DELIVERY),
            url=subscriber.url,
            body=body_of(ping(datetime.now(UTC))),
            secrets=secrets.open(),
        )


async def _send(envelope: Envelope) -> Answer:
    from tools.webhook_sender import WebhookSender

    async with WebhookSender(most_at_once=1) as sender:
        return await sender.send(envelope)


@contextmanager
def _readable_secrets() -> Iterator[None]:
    """Tell people when a secret was encrypted with another key."""
    from runtime.cipher import UnreadableCiphertext

    try:
        yield
    except UnreadableCiphertext as error:
        raise CommandError(f"{error}; is UNPEND_CIPHER_KEY the fleet's?") from error


def _show_once(secret: str) -> None:
    # Not through what masks numbers: a secret must come out as it is.
    sys.stdout.write(f"{secret}\n")
    show_line("It is shown this once. docs/webhooks.md says how the receiver verifies a message with it.")


def _last_try(delivery: Delivery) -> str:
    return delivery.last_error or (str(delivery.last_status) if delivery.last_status else "")


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def _unknown(subscriber_id: str) -> CommandError:
    return CommandError(f"there is no subscriber {subscriber_id}; `unpend webhooks list` shows them")
