"""`unpend webhooks`: who is told of what happens to tasks, and what became of it. Needs the database only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir, opened
from fleet.command.orders.task import By, name_of
from fleet.command.outbound.deliveries import log, replay, shown, unknown_subscriber
from fleet.command.output import AsJson, show_json, show_line, show_table
from schemas.outbound.event_types import MessageType

if TYPE_CHECKING:
    from tools.webhooks.sender import DeliveryTry, WebhookMessage

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Other systems that are told: add, list, choose, test, rotate, remove; what they were sent: log, replay.",
)

application.command("log")(log)
application.command("replay")(replay)

OVERLAP: Final = timedelta(hours=24)
"""For so long after a change messages carry the former secret's signature too."""

SubscriberId = Annotated[
    str, typer.Argument(metavar="ID", help="A subscriber_id, as `unpend webhooks list` shows it.")
]


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
    from storage.access.system_audit import SystemAudit
    from storage.outbound.subscribers import Subscribers
    from tools.webhooks.address import AddressRefused, check_url
    from tools.webhooks.signature import new_secret

    try:
        check_url(url)
    except AddressRefused as error:
        raise CommandError(str(error), 2) from error
    who, secret = name_of(by), new_secret()
    chosen = [kind.value for kind in dict.fromkeys(events or MessageType)]
    with opened(data_dir) as database, database.transaction() as work:
        subscriber_id = Subscribers(work).add(url, secret, chosen)
        SystemAudit(work).write(who, "subscriber_added", {"subscriber_id": subscriber_id, "events": chosen})
    if as_json:
        show_json({"subscriber_id": subscriber_id, "url": url, "events": chosen, "secret": secret})
        return
    show_line(f"subscriber {subscriber_id} is told of {', '.join(chosen)}")
    _show_once(secret)


@application.command("list")
def list_subscribers(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List subscribers, the oldest first."""
    from storage.outbound.subscribers import Subscribers

    with opened(data_dir) as database, database.snapshot() as work:
        subscribers = Subscribers(work).all()
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
                shown(s.created_at),
                "active" if s.active else "gone",
            )
            for s in subscribers
        ],
    )


@application.command("choose")
def choose(
    subscriber_id: SubscriberId,
    events: Annotated[
        list[MessageType], typer.Option("--event", help="What to tell from now on; again for each.")
    ],
    by: By = "operator",
    data_dir: DataDir = None,
) -> None:
    """Choose anew what a subscriber is told; its secret stays."""
    from storage.access.system_audit import SystemAudit
    from storage.outbound.subscribers import Subscribers

    who, chosen = name_of(by), [kind.value for kind in dict.fromkeys(events)]
    with opened(data_dir) as database, database.transaction() as work:
        if not Subscribers(work).choose(subscriber_id, chosen):
            raise unknown_subscriber(subscriber_id)
        SystemAudit(work).write(who, "subscriber_changed", {"subscriber_id": subscriber_id, "events": chosen})
    show_line(f"subscriber {subscriber_id} is told of {', '.join(chosen)}")


@application.command("remove")
def remove(subscriber_id: SubscriberId, by: By = "operator", data_dir: DataDir = None) -> None:
    """Forget a subscriber, with its log; what waits for it is not sent."""
    from storage.access.system_audit import SystemAudit
    from storage.outbound.subscribers import Subscribers

    who = name_of(by)
    with opened(data_dir) as database, database.transaction() as work:
        if not Subscribers(work).remove(subscriber_id):
            raise unknown_subscriber(subscriber_id)
        SystemAudit(work).write(who, "subscriber_removed", {"subscriber_id": subscriber_id})
    show_line(f"subscriber {subscriber_id} is removed")


@application.command("rotate")
def rotate(
    subscriber_id: SubscriberId, by: By = "operator", data_dir: DataDir = None, *, as_json: AsJson = False
) -> None:
    """Give a subscriber a new secret; for a day messages are signed with the former one too."""
    from storage.access.system_audit import SystemAudit
    from storage.outbound.subscribers import Subscribers
    from tools.webhooks.signature import new_secret

    who, secret = name_of(by), new_secret()
    with _readable_secrets(), opened(data_dir) as database, database.transaction() as work:
        if not Subscribers(work).rotate(subscriber_id, secret, OVERLAP):
            raise unknown_subscriber(subscriber_id)
        SystemAudit(work).write(who, "subscriber_secret_changed", {"subscriber_id": subscriber_id})
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


def _ping(subscriber_id: str, data_dir: Path | None) -> WebhookMessage:
    from runtime.ids import Prefix, new_id
    from storage.outbound.subscribers import Subscribers
    from tasks.outbound.messages import body_of, ping
    from tools.webhooks.sender import WebhookMessage

    with _readable_secrets(), opened(data_dir) as database, database.snapshot() as work:
        subscriber, secrets = Subscribers(work).find(subscriber_id), Subscribers(work).secrets(subscriber_id)
        if subscriber is None or secrets is None:
            raise unknown_subscriber(subscriber_id)
        return WebhookMessage(
            message_id=new_id(Prefix.DELIVERY),
            url=subscriber.url,
            body=body_of(ping(datetime.now(UTC))),
            secrets=secrets.open(),
        )


async def _send(envelope: WebhookMessage) -> DeliveryTry:
    from tools.webhooks.sender import WebhookSender

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
