"""What `unpend notices` shows and does."""

import json
from pathlib import Path

import yaml
from typer.testing import CliRunner, Result

from fleet.command.app import application
from tests.support.command_line import CommandLine
from tests.support.outbound.notice_sender import NoticeSenderAtWork
from tests.support.providers import group_bots
from tests.support.providers.group_bots import Dingtalk
from tests.support.providers.server import Fault, serving


def run(folder: Path, *arguments: str, secret: str = group_bots.SECRET) -> Result:
    """Run `unpend notices test` without any fleet."""
    secrets = json.dumps({"token": group_bots.TOKEN, "secret": secret})
    environment = {"UNPEND_CONFIG_FOLDER": str(folder), "UNPEND_NOTICE_SECRETS": secrets}
    return CliRunner(env=environment).invoke(application, ["notices", "test", *arguments])


def written(folder: Path, address: str) -> Path:
    bot = {"kind": "dingtalk_bot", "base_url": address, "token": "token", "secret": "secret"}
    document = {"providers": {"duty": bot}, "routes": {"duty_manager": {"provider": "duty"}}}
    (folder / "notices.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def test_a_test_notice_is_sent_and_the_answer_is_shown(tmp_path: Path) -> None:
    group = Dingtalk()
    with serving(group) as address:
        result = run(written(tmp_path, address), "duty_manager")
    assert (result.exit_code, result.stdout) == (0, "duty has taken it\n")
    (sent,) = group.in_group
    assert sent.startswith("unpend: 通知测试\n这是发给 duty_manager 的测试通知, 无需处理\n追踪 ")


def test_a_refusal_is_told_without_the_secret(tmp_path: Path) -> None:
    with serving(Dingtalk()) as address:
        result = run(written(tmp_path, address), "duty_manager", secret="a wrong one")
    assert result.exit_code == 1
    assert "refused: the provider answered 200, errcode 310000: sign not match" in result.stderr
    assert "a wrong one" not in result.output


def test_the_answer_comes_as_json_too(tmp_path: Path) -> None:
    group = Dingtalk()
    group.faults.append(Fault(instead=group_bots.said(130101, "send too fast")))
    with serving(group) as address:
        result = run(written(tmp_path, address), "duty_manager", "--json")
    told = json.loads(result.stdout)
    assert (told["provider"], told["sent"]) == ("duty", False)
    assert "600 s of silence" in told["reason"]


def test_a_role_without_a_route_is_said_to_have_none(tmp_path: Path) -> None:
    result = run(written(tmp_path, "http://127.0.0.1:1"), "operations")
    assert result.exit_code == 2
    assert "has no route" in result.stderr


def test_the_log_shows_what_was_not_sent_and_why(fleet: CommandLine) -> None:
    assert "no notices" in fleet.run("notices", "log").stdout
    bureau = NoticeSenderAtWork(fleet.house.database)
    bureau.declare("duty_manager")
    key = bureau.alert()
    assert fleet.read("notices", "log", "--failed") == []
    bureau.change("UPDATE notices SET last_error = 'the provider answered 500', tries = 1")
    (found,) = fleet.read("notices", "log", "--failed", "--role", "duty_manager")
    assert (found["key"], found["last_error"]) == (key, "the provider answered 500")
    assert key in fleet.run("notices", "log").stdout
