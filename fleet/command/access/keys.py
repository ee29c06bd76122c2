"""`unpend keys`: who may call the API, and as whom. Works on the database while the API is down."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fleet.command.client import ADMIN, connected_or_direct, moment, refusals, segment
from fleet.command.failure import CommandError, Commands, warn
from fleet.command.location import DataDir, find
from fleet.command.orders.task import By, name_of
from fleet.command.output import AsJson, show_json, show_line, show_table
from schemas.access.scopes import Scope

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Keys of the API: create, list, revoke, rotate."
)

_AGENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}")
_LONGEST_LABEL: Final = 64
_DURATION: Final = re.compile(r"(\d{1,5})\s*([mhd])", re.ASCII)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_SOON: Final = "an API that has just used it lets it in for 5 seconds more at most"

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="A key_id, as `unpend keys list` shows it.")]


class Mode(StrEnum):
    """Who drives the tasks that are sent in with a key and name no mode."""

    AUTO = "auto"
    MANUAL = "manual"


@application.command("create")
def create(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Whose it is: an agent, a person, a system.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it may do; again for each. Agents of the fleet have their own."),
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="90d|DATE", help="When it ends; never, when not given.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="Of its tasks that name none.")] = Mode.AUTO,
    rate: Annotated[
        str | None, typer.Option(metavar="RATE", help='How often it may ask: "50/second;1000/minute".')
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once."""
    expires_at = _expiry(expires)
    new = {
        "agent_id": _agent(agent),
        "scopes": sorted(_scopes(agent, scope or [])),
        "label": _label(label),
        "default_mode": mode.value,
        "rate_limit": _rate(rate),
        "expires_at": expires_at.isoformat() if expires_at else None,
        "by": name_of(by),
    }
    with connected_or_direct(data_dir, ADMIN) as api:
        answer = api.post("keys", new)
    made, key = answer["record"], answer["key"]
    if as_json:
        show_json({**made, "key": key})
        return
    show_line(f"key {made['key_id']} of {made['agent_id']}: {', '.join(made['scopes'])}{_ending(made)}")
    _show_once(key)


@application.command("list")
def list_keys(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List keys, by owner."""
    with connected_or_direct(data_dir, ADMIN) as api:
        keys = api.get("keys")["keys"]
    if as_json:
        show_json(keys)
        return
    if not keys:
        show_line("there are no keys; `unpend keys create AGENT` makes one")
        return
    show_table(
        ("key", "agent", "label", "scopes", "mode", "rate", "created", "last used", "expires", "state"),
        [
            (
                *(key[name] for name in ("key_id", "agent_id", "label")),
                ",".join(key["scopes"]),
                *(key[name] for name in ("default_mode", "rate_limit")),
                _shown(key["created_at"]),
                _shown(key["last_used_at"]) or "never",
                _shown(key["expires_at"]) or "never",
                key["state"],
            )
            for key in keys
        ],
    )


@application.command("revoke")
def revoke(key_id: KeyId, by: By = None, data_dir: DataDir = None) -> None:
    """Revoke a key."""
    who = name_of(by)
    with connected_or_direct(data_dir, ADMIN) as api, refusals(not_found=_unknown(key_id)):
        answer = api.post(f"keys/{segment(key_id)}/revoke", {"by": who})
    was = "was revoked before" if answer["outcome"] == "repeated" else f"is revoked; {_SOON}"
    show_line(f"key {key_id} of {answer['record']['agent_id']} {was}")
    _warn_of_kept(data_dir, answer["record"], "revoked")


@application.command("rotate")
def rotate(
    key_id: KeyId,
    overlap: Annotated[
        str,
        typer.Option(metavar="24h", help="How long the old key is let in beside the new one; 0: not at all."),
    ] = "24h",
    by: By = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key that follows another, with its owner, scopes and settings, and show it, this once."""
    beside = timedelta(0) if overlap.strip() == "0" else _duration(overlap)
    if beside is None:
        raise CommandError("--overlap is not a duration such as 30m, 24h, 7d, or 0", 2)
    wanted = {"overlap_seconds": int(beside.total_seconds()), "by": name_of(by)}
    with (
        connected_or_direct(data_dir, ADMIN) as api,
        refusals(
            not_found=_unknown(key_id),
            conflict=lambda details: (
                f"key {key_id} is {details['key_state']}; make a new one with `unpend keys create`"
            ),
        ),
    ):
        answer = api.post(f"keys/{segment(key_id)}/rotate", wanted)
    old, made, key = answer["old"], answer["record"], answer["key"]
    if as_json:
        show_json({"old": old, "new": {**made, "key": key}})
    else:
        until = f"is let in until {_shown(old['expires_at'])}" if beside else f"has ended; {_SOON}"
        show_line(
            f"key {made['key_id']} of {made['agent_id']} follows {key_id}, which {until}{_ending(made)}"
        )
        _show_once(key)
    _warn_of_kept(data_dir, old, "old")


def _show_once(key: str) -> None:
    show_line()
    show_line(f"  {key}")
    show_line()
    show_line("keep it now: it is stored as a hash and is not shown again")


def _warn_of_kept(named: Path | None, ended: dict[str, Any], which: str) -> None:
    """Tell people that the fleet's own folder still holds a key that has ended or will."""
    from fleet.installation import Installation

    folder = find(named).data_dir
    kept = {} if folder is None else Installation(folder).secrets().keys
    for owner, key in kept.items():
        if hashlib.sha256(key.encode()).hexdigest().startswith(ended["fingerprint"]):
            warn(f"secrets.json and run.json of this fleet's folder still hold the {which} key of {owner}")


def _agent(name: str) -> str:
    if not _AGENT.fullmatch(name):
        raise CommandError("AGENT must be 1 to 32 letters, digits and _ . : - such as dispatch-centre", 2)
    return name


def _scopes(agent: str, given: Sequence[Scope]) -> frozenset[Scope]:
    from runtime.settings import PROJECT
    from schemas.access.scopes import owners_of
    from schemas.core.agents import read_agents

    owners = owners_of(read_agents(Path(os.environ.get("UNPEND_CONFIG_FOLDER", PROJECT / "config"))))
    found = frozenset(given) or owners.get(agent)
    if not found:
        agents, scopes = ", ".join(owners), ", ".join(Scope)
        raise CommandError(f"--scope is needed for '{agent}' ({scopes}); only {agents} have their own", 2)
    return found


def _label(text: str | None) -> str | None:
    if text is not None and not (0 < len(text) <= _LONGEST_LABEL and text.isprintable()):
        raise CommandError(f"--label must be 1 to {_LONGEST_LABEL} characters in one line", 2)
    return text


def _rate(text: str | None) -> str | None:
    from runtime.rate import read_rate

    if text is None:
        return None
    try:
        read_rate(text)
    except ValueError as error:
        raise CommandError(f"--rate {error}", 2) from error
    return text


def _expiry(text: str | None) -> datetime | None:
    """The moment a key ends: after a duration, or when a day begins in UTC, or as written."""
    if text is None:
        return None
    now = datetime.now(UTC)
    after = _duration(text)
    if after is not None:
        return now + after
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            "--expires is not a duration such as 90d, nor a date such as 2027-01-31", 2
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise CommandError("--expires lies in the past", 2)
    return moment


def _duration(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        return None
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _ending(made: dict[str, Any]) -> str:
    return f"; ends {_shown(made['expires_at'])}" if made["expires_at"] else ""


def _shown(written: str | None) -> str | None:
    return None if written is None else f"{moment(written):%Y-%m-%d %H:%M} UTC"


def _unknown(key_id: str) -> str:
    return f"there is no key {key_id}; `unpend keys list` shows them"
