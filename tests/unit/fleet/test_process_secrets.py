"""Each process is given the secrets it needs, embedded and in containers alike."""

import pytest
import yaml

from fleet.process_secrets import SECRETS, secrets_of, without_others
from runtime.settings import PROJECT, WatcherSettings

SERVICES = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


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


@pytest.mark.parametrize(
    "service", ["worker-contact", "worker-triage", "worker-action", "tick", "intake", "api"]
)
def test_a_process_that_works_has_in_containers_what_it_has_embedded(service: str) -> None:
    optional = {"UNPEND_LIMITS_URL", "UNPEND_INTAKE_AMQP_URL"}
    assert of_container(service) - {"UNPEND_DATABASE_URL_RETENTION"} == secrets_of(service) - optional


def test_who_watches_needs_nothing_but_the_broker_to_read_its_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNPEND_BROKER_URL", "redis://127.0.0.1:1/0")
    assert WatcherSettings.read().cipher_key.get_secret_value() == ""
