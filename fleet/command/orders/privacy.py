"""`unpend privacy`: forgetting a customer, removing what is old, changing the key that encrypts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.command.client import ADMIN, connected, connected_or_direct, refusals
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DEFAULT_FOLDER, DataDir, find
from fleet.command.orders.task import By, name_of
from fleet.command.output import AsJson, show_json, show_line, show_table

if TYPE_CHECKING:
    from fleet.installation import Installation

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Personal data: erase, retain, change the key."
)

_ASK = "-"
_READY = "a new key is ready: stop the fleet and start it again, then run `unpend privacy reencrypt`"


@application.command("erase")
def erase(
    customer: Annotated[
        str | None, typer.Option(metavar="CUSTOMER", help="As upstream names them: metadata.customer_id.")
    ] = None,
    phone: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Every order with this number; `-` asks for it.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
    *,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel their open orders first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what is known of a customer for good; what was done, when and by whom stays."""
    from runtime.phone import normalise

    who = name_of(by)
    if customer is None and phone is None:
        raise CommandError("name the customer with --customer or --phone", 2)
    if phone == _ASK:
        phone = typer.prompt("phone number", hide_input=True)
    number = None if phone is None else normalise(phone)
    if phone is not None and number is None:
        raise CommandError("--phone is no number that can be called: it is masked or malformed", 2)
    named = {"customer_id": customer, "phone": number and number.e164}
    with (
        connected(data_dir, ADMIN) as api,
        refusals(
            conflict=lambda details: (
                f"nothing was erased: {', '.join(details['open'])} not closed; "
                "end them first, or give --cancel"
            )
        ),
    ):
        found = api.post("privacy/erase", named | {"dry_run": True})["task_ids"]
        if found and not yes:
            shown = ", ".join(found[:5]) + (" …" if len(found) > 5 else "")  # noqa: PLR2004 - a line's worth
            typer.confirm(
                f"erase what is known of the customer of {len(found)} orders ({shown})?", abort=True
            )
        erased = api.post("privacy/erase", named | {"cancel": cancel}, by=who)
    if as_json:
        show_json({name: erased[name] for name in ("task_ids", "cancelled", "rows")})
        return
    rows = sum(erased["rows"].values())
    show_line(f"erased what was known in {rows} rows of {len(erased['task_ids'])} orders")


@application.command("retain")
def retain(
    data_dir: DataDir = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what is due; remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove now what config/policies/retention.yaml says has been kept long enough; the fleet does so daily."""
    with connected(data_dir, ADMIN) as api:
        made = api.post("privacy/retain", {"dry_run": dry_run})
    if as_json:
        show_json(made["rows"])
        return
    show_table(
        ("kind", "kept for", "due" if dry_run else "removed"),
        [(kind, f"{made['days'][kind]} d", amount) for kind, amount in made["rows"].items()],
    )


@application.command("rotate-key")
def rotate_key(data_dir: DataDir = None) -> None:
    """Make a new key for what is encrypted at rest; the fleet takes it up at its next start."""
    _installation(data_dir, "UNPEND_CIPHER_KEY").plan_key_change()
    show_line(_READY)


@application.command("rotate-index-key")
def rotate_index_key(data_dir: DataDir = None) -> None:
    """Make a new key for the blind index of numbers; the fleet takes it up at its next start."""
    _installation(data_dir, "UNPEND_INDEX_KEY").plan_index_key_change()
    show_line(_READY)


@application.command("reencrypt")
def reencrypt(
    data_dir: DataDir = None,
    *,
    drop: Annotated[
        bool, typer.Option("--drop", help="Forget the former keys when nothing is left.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write everything of former keys anew with the current ones; the fleet may run, and it may be broken off."""
    with connected_or_direct(data_dir, ADMIN) as api:
        renewed = api.post("privacy/reencrypt")
    written, left = renewed["written"], renewed["left"]
    marks, marks_left = renewed["marks"], renewed["marks_left"]
    dropped = _forget(data_dir, cipher=not left, index=not marks_left) if drop else 0
    if as_json:
        shown = {"written": written, "left": left, "marks": marks, "marks_left": marks_left}
        show_json({**shown, "dropped": dropped})
    else:
        for name, rows in (written | {f"{table}.phone_index": rows for table, rows in marks.items()}).items():
            show_line(f"{name}: {rows}")
        show_line(f"{sum(written.values())} values were written with the current key")
        if dropped:
            show_line(f"{dropped} former keys are forgotten; the next start of the fleet no longer has them")
    unfinished = []
    if left:
        unreadable = renewed["unreadable"]
        why = f"no key opens {unreadable} of them" if unreadable else "they are in use; run it again"
        unfinished.append(f"values of former keys are left: {_places(left)}; {why}. No key was dropped")
    if marks_left:
        kept = f"the former index key is needed for {_places(marks_left)} (docs/privacy.md)"
        if drop:
            unfinished.append(f"{kept}. It was not dropped")
        elif not as_json:
            show_line(kept)
    if unfinished:
        raise CommandError("; ".join(unfinished))


def _places(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{amount} of {name}" for name, amount in rows.items())


def _installation(data_dir: Path | None, setting: str) -> Installation:
    from fleet.installation import Installation

    installation = Installation(data_dir or DEFAULT_FOLDER)
    if not (installation.data_dir / "secrets.json").is_file():
        raise CommandError(
            f"{installation.data_dir} holds no installation. Where the environment gives the keys, set the new one "
            f"as {setting} and add the former to {setting.replace('_KEY', '_KEYS')}_OLD (docs/privacy.md)"
        )
    return installation


def _forget(data_dir: Path | None, *, cipher: bool, index: bool) -> int:
    """Forget the former keys of these kinds; how many there were."""
    from fleet.installation import Installation

    free = {"UNPEND_CIPHER_KEYS_OLD": cipher, "UNPEND_INDEX_KEYS_OLD": index}
    if not any(free.values()):
        return 0
    folder = find(data_dir).data_dir
    if folder is None:
        settings = " and ".join(setting for setting, is_free in free.items() if is_free)
        raise CommandError(
            f"nothing needs a former key any more: take them out of {settings} where it is set"
        )
    installation = Installation(folder)
    dropped = installation.drop_old_keys() if cipher else 0
    return dropped + (installation.drop_old_index_keys() if index else 0)
