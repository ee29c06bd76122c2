"""`unpend webhooks`: subscribers of webhooks and their deliveries. Needs the database only."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleet.command.client import ADMIN, ApiRefused, connected, refusals, segment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of
from fleet.command.outbound.deliveries import log, replay, shown, unknown_subscriber
from fleet.command.output import AsJson, show_json, show_line, show_table
from schemas.outbound.event_types import MessageType

application = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Other systems that are told: add, list, choose, test, rotate, remove; what they were sent: log, replay.",
)

application.command("log")(log)
application.command("replay")(replay)

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
    by: By = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell an address of what happens from now on; shows the secret, this once."""
    who, chosen = name_of(by), [kind.value for kind in dict.fromkeys(events or MessageType)]
    with connected(data_dir, ADMIN) as api:
        try:
            added = api.post("webhooks/subscribers", {"url": url, "events": chosen}, by=who)
        except ApiRefused as error:
            if error.field == "url":
                raise CommandError(str(error).removeprefix("url: "), 2) from error
            raise
    subscriber_id, secret = added["subscriber"]["subscriber_id"], added["secret"]
    if as_json:
        show_json({"subscriber_id": subscriber_id, "url": url, "events": chosen, "secret": secret})
        return
    show_line(f"subscriber {subscriber_id} is told of {', '.join(chosen)}")
    _show_once(secret)


@application.command("list")
def list_subscribers(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List subscribers, the oldest first."""
    with connected(data_dir, ADMIN) as api:
        subscribers = api.get("webhooks/subscribers")["subscribers"]
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
                s["subscriber_id"],
                s["url"],
                ",".join(s["events"]),
                shown(s["created_at"]),
                "active" if s["active"] else "gone",
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
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Choose anew what a subscriber is told; its secret stays."""
    who, chosen = name_of(by), [kind.value for kind in dict.fromkeys(events)]
    with connected(data_dir, ADMIN) as api, refusals(not_found=unknown_subscriber(subscriber_id)):
        api.patch(f"webhooks/subscribers/{segment(subscriber_id)}", {"events": chosen}, by=who)
    show_line(f"subscriber {subscriber_id} is told of {', '.join(chosen)}")


@application.command("remove")
def remove(subscriber_id: SubscriberId, by: By = None, data_dir: DataDir = None) -> None:
    """Forget a subscriber, with its log; what waits for it is not sent."""
    who = name_of(by)
    with connected(data_dir, ADMIN) as api, refusals(not_found=unknown_subscriber(subscriber_id)):
        api.delete(f"webhooks/subscribers/{segment(subscriber_id)}", by=who)
    show_line(f"subscriber {subscriber_id} is removed")


@application.command("rotate")
def rotate(
    subscriber_id: SubscriberId, by: By = None, data_dir: DataDir = None, *, as_json: AsJson = False
) -> None:
    """Give a subscriber a new secret; for a day messages are signed with the former one too."""
    who = name_of(by)
    with connected(data_dir, ADMIN) as api, refusals(not_found=unknown_subscriber(subscriber_id)):
        secret = api.post(f"webhooks/subscribers/{segment(subscriber_id)}/rotate", by=who)["secret"]
    if as_json:
        show_json({"subscriber_id": subscriber_id, "secret": secret})
        return
    show_line(f"subscriber {subscriber_id} has a new secret; the former one signs too for a day")
    _show_once(secret)


@application.command("test")
def send_ping(subscriber_id: SubscriberId, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Have the API send a signed `ping` now, and show the answer; exit 1 when it was not taken."""
    with connected(data_dir, ADMIN) as api, refusals(not_found=unknown_subscriber(subscriber_id)):
        answer = api.post(f"webhooks/subscribers/{segment(subscriber_id)}/ping")
    if as_json:
        show_json({name: answer[name] for name in ("delivered", "status", "error", "milliseconds")})
    elif answer["delivered"]:
        show_line(f"answered {answer['status']} in {answer['milliseconds']} ms")
    if not answer["delivered"]:
        raise CommandError(f"the ping was not taken: {answer['error']}")


def _show_once(secret: str) -> None:
    # Not through what masks numbers: a secret must come out as it is.
    sys.stdout.write(f"{secret}\n")
    show_line("It is shown this once. docs/webhooks.md says how the receiver verifies a message with it.")
