"""Each process is given the secrets it needs, embedded and in containers alike."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from api.app import create_app
from fleet.joining import taken_over
from fleet.process_secrets import (
    CALLBACKS,
    CHANNEL,
    CONTACTS,
    IM,
    ORDER_SYSTEM,
    SECRETS,
    secrets_of,
    without_others,
)
from runtime import settings as runtime_settings
from runtime.settings import PROJECT, Settings, WatcherSettings
from tests.support.agents import QUEUES
from tests.support.in_process_fleet import CIPHER_KEY
from tools.webhooks.signature import new_secret
from workers.app import make_app
from workers.process import Process

SERVICES = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]

CHANNELS = {
    "phone": {
        "provider": "aliyun_voice",
        "scripts": {"pending_task_v1": {"code": "TTS_1"}},
        "keys": {"1": "好"},
    },
    "sms": {
        "provider": "twilio_messages",
        "sender": "+15005550006",
        "scripts": {"pending_task_v1": "{product}"},
    },
    "im": {"provider": "webhook"},
}
NEEDED = {
    "worker-contact": CONTACTS | CHANNEL - {"UNPEND_CHANNEL_TOKEN"},
    "worker-action": ORDER_SYSTEM,
    "api": CALLBACKS | ORDER_SYSTEM | IM,
}


def of_container(service: str) -> set[str]:
    """The variables that a service's secrets stand for."""
    used = SERVICES[service]["secrets"]
    names = {one if isinstance(one, str) else one["target"] for one in used}
    return {name.upper() for name in names}


@pytest.mark.parametrize("process", ["flower", "beat", "exporter"])
def test_a_process_that_watches_has_no_key_of_what_is_sealed(process: str) -> None:
    given = without_others(process, dict.fromkeys(SECRETS, "x") | {"PATH": "/bin"})
    assert given.keys() == secrets_of(process) | {"PATH"}
    assert not {name for name in given if "CIPHER" in name or "INDEX" in name or "CALLBACK" in name}
    assert of_container(process) == secrets_of(process)


def test_flower_and_beat_have_the_broker_alone() -> None:
    assert secrets_of("beat") == {"UNPEND_BROKER_URL"}
    assert secrets_of("flower") == {"UNPEND_BROKER_URL", "FLOWER_BASIC_AUTH"}


OF_WORK = ("api", "intake", "tick", "upkeep", *(f"worker-{queue}" for queue in QUEUES))
GIVEN_NEEDED = [(process, name) for process, names in NEEDED.items() for name in sorted(names)]


@pytest.mark.parametrize("process", OF_WORK)
def test_a_process_that_works_has_in_containers_what_it_has_embedded(process: str) -> None:
    optional = {"UNPEND_LIMITS_URL", "UNPEND_INTAKE_AMQP_URL"}
    assert of_container(process) - {"UNPEND_DATABASE_URL_RETENTION"} == secrets_of(process) - optional


def test_the_key_of_each_provider_is_given_to_who_uses_it_and_to_nobody_else() -> None:
    def given(name: str) -> set[str]:
        return {process for process in OF_WORK if name in secrets_of(process)}

    assert {name: given(name) for name in SECRETS - secrets_of("tick")} == {
        "UNPEND_ALIYUN_ACCESS_KEY_ID": {"worker-contact"},
        "UNPEND_ALIYUN_ACCESS_KEY_SECRET": {"worker-contact"},
        "UNPEND_TWILIO_ACCOUNT_SID": {"worker-contact"},
        "UNPEND_TWILIO_AUTH_TOKEN": {"worker-contact", "api"},
        "UNPEND_CHANNEL_TOKEN": {"worker-contact"},
        "UNPEND_CALLBACK_SECRET": {"worker-contact", "api"},
        "UNPEND_ALIYUN_CALLBACK_TOKEN": {"api"},
        "UNPEND_ORDER_SYSTEM_SECRET": {"worker-action", "api"},
        "UNPEND_LANGUAGE_MODEL_KEY": {"worker-triage"},
        "UNPEND_NOTICE_SECRETS": {"worker-outbound"},
        **{name: {"api"} for name in IM},
        "UNPEND_LIMITS_URL": {"worker-outbound", "api", "intake"},
        "UNPEND_INTAKE_AMQP_URL": {"intake"},
        "FLOWER_BASIC_AUTH": set(),
    }


def test_secrets_of_webhooks_are_given_to_the_api_alone_and_those_of_requests_to_the_worker_that_sends() -> (
    None
):
    request, webhook = "UNPEND_SECRET_PAY", "UNPEND_WEBHOOK_SECRET_SHOP"
    given = {request: "a secret", webhook: "another", "UNPEND_LOG_LEVEL": "INFO"}
    assert taken_over(given) == given
    expected = {"api": {webhook}, "worker-general": {request}}
    for process in (*OF_WORK, "beat", "flower", "exporter", "simulator"):
        kept = set(without_others(process, given))
        assert kept == {"UNPEND_LOG_LEVEL"} | expected.get(process, set()), process


def test_secrets_that_definitions_name_are_read_by_what_they_are_for(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in ("unpend_secret_pay", "unpend_webhook_secret_shop", "unpend_webhook_secret_unset"):
        (folder / name).write_text("" if name.endswith("unset") else f"{name} in a file\n", encoding="utf-8")
    monkeypatch.setattr(runtime_settings, "_CONTAINER_SECRETS", folder)
    for name, value in {**environment, "UNPEND_WEBHOOK_SECRET_BANK": "of the environment"}.items():
        monkeypatch.setenv(name, value)
    settings = Settings.read()
    assert {name: value.get_secret_value() for name, value in settings.request_secrets.items()} == {
        "UNPEND_SECRET_PAY": "unpend_secret_pay in a file"
    }
    assert {name: value.get_secret_value() for name, value in settings.webhook_secrets.items()} == {
        "UNPEND_WEBHOOK_SECRET_SHOP": "unpend_webhook_secret_shop in a file",
        "UNPEND_WEBHOOK_SECRET_BANK": "of the environment",
    }


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """All that an installation with every provider is given."""
    folder = tmp_path / "config"
    shutil.copytree(PROJECT / "config", folder)
    (folder / "channels.yaml").write_text(yaml.safe_dump({"channels": CHANNELS}), encoding="utf-8")
    return {
        **dict.fromkeys(SECRETS, "a secret"),
        "UNPEND_DATABASE_URL": "postgresql+psycopg://127.0.0.1:1/nowhere",
        "UNPEND_BROKER_URL": "redis://127.0.0.1:1/0",
        "UNPEND_LIMITS_URL": "redis://127.0.0.1:1/0",
        "UNPEND_CIPHER_KEY": CIPHER_KEY,
        "UNPEND_CIPHER_KEYS_OLD": "",
        "UNPEND_INDEX_KEY": CIPHER_KEY,
        "UNPEND_INDEX_KEYS_OLD": "",
        "UNPEND_ORDER_SYSTEM_SECRET": new_secret(),
        "UNPEND_ORDER_SYSTEM_URL": "http://127.0.0.1:1/",
        "UNPEND_LANGUAGE_MODEL_URL": "http://127.0.0.1:1/v1",
        "UNPEND_LANGUAGE_MODEL_NAME": "a model",
        "UNPEND_IM_WECOM_AES_KEY": "a" * 43,
        "UNPEND_IM_WECOM_CORP_ID": "a company",
        "UNPEND_IM_DINGTALK_CORP_ID": "a company",
        "UNPEND_CHANNEL": "routed",
        "UNPEND_CONFIG_FOLDER": str(folder),
    }


def start(process: str, environment: Mapping[str, str]) -> None:
    """Make what the process makes when it starts, with this environment and nothing else."""
    given = {name.removeprefix("UNPEND_").lower(): value for name, value in environment.items()}
    settings = Settings.model_validate(given)
    parts = Process(settings, make_app(settings), name=process.removeprefix("worker-"))
    if process == "api":
        create_app(parts, "of the test").state.make_services()
    parts.warm()


@pytest.mark.parametrize("process", OF_WORK)
def test_what_a_process_is_given_is_enough_to_start_with(process: str, environment: dict[str, str]) -> None:
    start(process, without_others(process, environment))


@pytest.mark.parametrize(("process", "missing"), GIVEN_NEEDED)
def test_a_secret_that_a_process_needs_is_missed_when_it_starts(
    process: str, missing: str, environment: dict[str, str]
) -> None:
    environment[missing] = ""
    with pytest.raises(ValueError, match=missing.removeprefix("UNPEND_").lower() + "|" + missing):
        start(process, without_others(process, environment))


def test_who_watches_needs_nothing_but_the_broker_to_read_its_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNPEND_BROKER_URL", "redis://127.0.0.1:1/0")
    assert WatcherSettings.read().cipher_key.get_secret_value() == ""
