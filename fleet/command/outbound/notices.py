"""`unpend notices`: tests notices to staff, and shows their log."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fleet.command.client import ADMIN, connected, moment
from fleet.command.failure import CommandError, Commands
from fleet.command.location import DataDir
from fleet.command.output import AsJson, show_json, show_line, show_table

if TYPE_CHECKING:
    from tools.notices.contract import NoticeOutcome
    from tools.notices.routing import NoticeRoutes

application = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Notices to staff: try one, see what was sent."
)

_CONTAINER_SECRET: Final = Path("/run/secrets/unpend_notice_secrets")


class StaffRole(StrEnum):
    """Who can be notified."""

    ENGINEER = "engineer"
    QUALITY_INSPECTOR = "quality_inspector"
    CUSTOMER_CARE = "customer_care"
    OPERATIONS = "operations"
    SECURITY_OFFICER = "security_officer"
    DUTY_MANAGER = "duty_manager"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    MANAGER = "manager"
    ADMIN = "admin"


ConfigFolder = Annotated[
    Path | None,
    typer.Option(
        "--config-folder",
        envvar="UNPEND_CONFIG_FOLDER",
        help="Where notices.yaml lies; the project's config.",
    ),
]
Secrets = Annotated[
    str | None,
    typer.Option(
        "--secrets",
        envvar="UNPEND_NOTICE_SECRETS",
        hidden=True,
        help="By the environment only.",
        show_default=False,
    ),
]


@application.command("test")
def send_test(
    role: Annotated[StaffRole, typer.Argument(metavar="ROLE", help="Who is told.")],
    engineer: Annotated[
        str | None, typer.Option("--engineer", metavar="ID", help="Which engineer, for the role engineer.")
    ] = None,
    config_folder: ConfigFolder = None,
    secrets: Secrets = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send a notice to a role now, from here, and show the answer; exit 1 when it was not taken.

    Needs neither database nor fleet.
    """
    from runtime.ids import Prefix, new_id
    from runtime.trace import new_trace_id
    from tools.notices.contract import NoticeSent

    routes = _routes(config_folder, secrets)
    try:
        way = routes.ways.get(role.value)
        if way is None:
            raise CommandError(
                f"nobody is told in the role {role.value}; config/notices.yaml has no route for it", 2
            )
        if "{engineer_id}" in way.to and not engineer:
            raise CommandError("the route leads to an engineer's own id: name one with --engineer", 2)
        outcome = way.gateway.send(
            way.notice(
                key=new_id(Prefix.ACTION),
                title="unpend: 通知测试",
                text=f"这是发给 {role.value} 的测试通知, 无需处理",
                trace_id=new_trace_id(),
                recipient=engineer,
            )
        )
    finally:
        routes.close()
    if as_json:
        show_json({"role": role.value, "provider": way.provider, **_document(outcome)})
    elif isinstance(outcome, NoticeSent):
        show_line(f"{way.provider} has taken it{f' as {outcome.provider_id}' if outcome.provider_id else ''}")
    if not isinstance(outcome, NoticeSent):
        raise CommandError(f"{way.provider}: {_shown(outcome)}")


@application.command("log")
def log(
    role: Annotated[StaffRole | None, typer.Option(help="To this role only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data_dir: DataDir = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only those whose last try failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List notices, the newest first."""
    with connected(data_dir, ADMIN) as api:
        found = api.get("notices", role=role and role.value, failed=failed, limit=limit)["notices"]
    if as_json:
        show_json(found)
        return
    if not found:
        show_line("no notices; roles without a route in config/notices.yaml are not told")
        return
    show_table(
        ("tells of", "role", "state", "tries", "provider", "made at", "error"),
        [
            (
                n["key"],
                n["to_role"],
                n["state"],
                str(n["tries"]),
                n["provider"] or "",
                moment(n["created_at"]).isoformat(sep=" ", timespec="seconds"),
                n["last_error"] or "",
            )
            for n in found
        ],
    )


def _routes(folder: Path | None, secrets: str | None) -> NoticeRoutes:
    from pydantic import SecretStr

    from runtime.settings import PROJECT
    from schemas.core.configuration import PolicyFileError
    from tools.notices.routing import NoticeSecretMissing, open_notices

    if secrets is None and _CONTAINER_SECRET.is_file():
        secrets = _CONTAINER_SECRET.read_text(encoding="utf-8")
    try:
        return open_notices(folder or PROJECT / "config", SecretStr(secrets) if secrets else None)
    except (PolicyFileError, NoticeSecretMissing, ValueError) as error:
        raise CommandError(str(error), 2) from error


def _document(outcome: NoticeOutcome) -> dict[str, object]:
    from tools.notices.contract import NoticeSent

    if isinstance(outcome, NoticeSent):
        return {"sent": True, "provider_id": outcome.provider_id or None, "reason": None}
    return {"sent": False, "provider_id": None, "reason": _shown(outcome)}


def _shown(outcome: NoticeOutcome) -> str:
    from tools.notices.contract import NoticeNotSent, NoticeRefused, NoticeSent

    match outcome:
        case NoticeSent():
            return "sent"
        case NoticeNotSent():
            wait = outcome.retry_after_seconds
            return f"not sent: {outcome.reason}" + (f"; it asks for {wait:g} s of silence" if wait else "")
        case NoticeRefused():
            return f"refused: {outcome.reason}"
        case _:
            return f"perhaps sent: {outcome.reason}"
