"""config/notices.yaml: who is told, by what, and what is said of a file that cannot be used."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from fleet.command.outbound.notices import StaffRole
from runtime.settings import PROJECT
from schemas.access.roles import Role
from schemas.core.configuration import PolicyFileError
from tasks.people.escalation import ESCALATIONS, escalated_to
from tools.notices.notices_file import ROLES
from tools.notices.routing import NoticeSecretMissing, open_notices

BOT = {"kind": "wecom_bot", "key": "k"}
APP = {"kind": "feishu_app", "app_id": "cli_1", "app_secret": "k"}
SECRETS = SecretStr(json.dumps({"k": "very secret"}))


def written(folder: Path, **document: Any) -> Path:
    (folder / "notices.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def test_everybody_an_alert_goes_to_can_be_told() -> None:
    named = {*ESCALATIONS.values(), escalated_to("anything", "info"), escalated_to("anything", "critical")}
    escalated = {role.value for role in Role} - {Role.VIEWER.value}
    assert set(ROLES) == named | escalated | {"engineer"}
    assert tuple(role.value for role in StaffRole) == ROLES


def test_by_the_file_that_is_shipped_nobody_is_told() -> None:
    assert open_notices(PROJECT / "config", None).ways == {}


def test_the_example_in_the_file_that_is_shipped_can_be_used(tmp_path: Path) -> None:
    shipped = (PROJECT / "config" / "notices.yaml").read_text(encoding="utf-8")
    commented = shipped.split("routes: {}\n")[1]
    example = "\n".join(line.removeprefix("#").removeprefix(" ") for line in commented.splitlines())
    names = ("app_secret", "quality_hook", "quality_secret", "operations_key", "duty_token", "duty_secret")
    secrets = SecretStr(json.dumps({name: f"the {name}" for name in names}))
    routes = open_notices(written(tmp_path, **yaml.safe_load(example)), secrets)
    assert len(routes.ways) == 4
    routes.close()


def test_without_the_file_nobody_is_told(tmp_path: Path) -> None:
    assert open_notices(tmp_path, None).ways == {}


def test_an_engineer_is_told_by_his_own_name(tmp_path: Path) -> None:
    folder = written(
        tmp_path, providers={"app": APP}, routes={"engineer": {"provider": "app", "to": "{engineer_id}"}}
    )
    routes = open_notices(folder, SECRETS)
    assert (
        routes.ways["engineer"].notice(key="k", title="", text="", trace_id="", recipient="ENG-7").to
        == "ENG-7"
    )
    routes.close()


def test_a_provider_without_a_route_needs_no_secret(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        providers={"bot": BOT, "other": {"kind": "wecom_bot", "key": "absent"}},
        routes={"operations": {"provider": "bot"}},
    )
    routes = open_notices(folder, SECRETS)
    assert list(routes.ways) == ["operations"]
    routes.close()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"routes": {"operations": {"provider": "bot"}}}, "there is no provider bot"),
        ({"providers": {"bot": BOT}, "routes": {"nobody": {"provider": "bot"}}}, "routes.nobody"),
        ({"providers": {"a": APP}, "routes": {"operations": {"provider": "a"}}}, "needs `to`"),
        ({"providers": {"b": BOT}, "routes": {"operations": {"provider": "b", "to": "x"}}}, "takes no `to`"),
        (
            {"providers": {"a": APP}, "routes": {"operations": {"provider": "a", "to": "{engineer_id}"}}},
            "the one gap",
        ),
        ({"providers": {"b": BOT | {"base_url": "https://user:word@host"}}}, "base_url"),
        ({"providers": {"b": {"kind": "pager"}}}, "providers.b"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(
    tmp_path: Path, document: dict[str, Any], told: str
) -> None:
    with pytest.raises(PolicyFileError) as caught:
        open_notices(written(tmp_path, **document), SECRETS)
    assert told in str(caught.value)
    assert "notices.yaml" in str(caught.value)


@pytest.mark.parametrize("secrets", [None, '{"other": "very secret"}', "very secret", '["very secret"]'])
def test_a_secret_that_is_missing_is_named_and_none_is_shown(tmp_path: Path, secrets: str | None) -> None:
    folder = written(tmp_path, providers={"bot": BOT}, routes={"operations": {"provider": "bot"}})
    with pytest.raises(NoticeSecretMissing) as caught:
        open_notices(folder, None if secrets is None else SecretStr(secrets))
    assert "UNPEND_NOTICE_SECRETS" in str(caught.value)
    assert "very secret" not in f"{caught.value!r} {caught.value.__cause__!r}"
