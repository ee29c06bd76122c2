"""docker-compose.yml and the image: what no schema and no engine at hand would tell."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic import SecretStr

from fleet.embedded.broker_users import USERS
from runtime.settings import PROJECT, Settings
from schemas.core.agents import SYSTEM_QUEUES
from tests.support.agents import QUEUES

COMPOSE = PROJECT / "docker-compose.yml"
DOCUMENT: Mapping[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
SERVICES: Mapping[str, Mapping[str, Any]] = DOCUMENT["services"]
PREFORK = tuple(f"worker-{queue}" for queue in QUEUES)
_ONLY_ALIVE_OR_NOT = {"migrate", "intake", "beat"}
"""They serve nobody; one that dies is started again, and the alert on the oldest step sees one that hangs."""

every_service = pytest.mark.parametrize("name", SERVICES)


def seconds(duration: str) -> int:
    assert re.fullmatch(r"\d+s", duration), duration
    return int(duration[:-1])


def named_volumes(service: Mapping[str, Any]) -> set[str]:
    return {source for source in sources(service) if not source.startswith((".", "/"))}


def sources(service: Mapping[str, Any]) -> list[str]:
    return [volume.split(":")[0] for volume in service.get("volumes", ())]


def test_compose_knows_every_word_of_the_file() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_anchor_is_used() -> None:
    written = COMPOSE.read_text(encoding="utf-8")
    anchors = set(re.findall(r"[:\-] &([a-z-]+)", written))
    assert anchors == set(re.findall(r"\*([a-z-]+)", written))


@every_service
def test_what_a_service_waits_for_exists_and_can_be_waited_for(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert needed in SERVICES
        assert set(SERVICES[needed].get("profiles", ())) <= set(SERVICES[name].get("profiles", ()))
        match how["condition"]:
            case "service_healthy":
                assert "healthcheck" in SERVICES[needed]
            case "service_completed_successfully":
                assert SERVICES[needed]["restart"].startswith("on-failure")
            case other:
                pytest.fail(f"{name} waits for {needed} by '{other}'")


@pytest.mark.parametrize("kind", ["secrets", "networks"])
def test_secrets_and_networks_are_declared_where_they_are_used_and_used_where_declared(kind: str) -> None:
    used = [used for service in SERVICES.values() for used in service.get(kind, ())]
    assert {one if isinstance(one, str) else one["source"] for one in used} == set(DOCUMENT[kind])


def test_each_process_is_given_the_database_under_its_own_role_alone() -> None:
    def given(name: str) -> set[str]:
        used = [one if isinstance(one, str) else one["source"] for one in SERVICES[name].get("secrets", ())]
        return {
            one.removeprefix("unpend_database_url") for one in used if one.startswith("unpend_database_url")
        }

    further = {name: given(name) for name in SERVICES if given(name) - {""}}
    assert further == {
        "migrate": {"", "_migrate", "_retention", "_reader"},
        "api": {"", "_retention"},
        "upkeep": {"_retention"},
        "exporter": {"_reader"},
    }


def test_volumes_are_declared_where_they_are_used_and_used_where_declared() -> None:
    assert set().union(*map(named_volumes, SERVICES.values())) == set(DOCUMENT["volumes"])


def test_what_is_mounted_from_the_checkout_is_there() -> None:
    mounted = {s for service in SERVICES.values() for s in sources(service) if s.startswith("./")}
    assert mounted
    assert all((PROJECT / source).exists() for source in mounted)


def test_the_workers_of_the_agents_are_written_from_their_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "docs"))
    generate = importlib.import_module("generate")
    written = COMPOSE.read_text(encoding="utf-8")
    assert generate.with_workers(written) == written, "run: make docs"


def test_every_queue_has_a_worker_of_its_own() -> None:
    served = [service["command"][-1] for name, service in SERVICES.items() if name in PREFORK]
    assert sorted(served) == sorted(QUEUES)


def test_every_process_that_workers_can_run_is_deployed() -> None:
    from workers.__main__ import OTHERS

    run = {
        re.findall(r"[a-z]+", " ".join(service["command"]))[-1]
        for service in SERVICES.values()
        if "-m workers" in " ".join(service.get("command", ()))
    }
    assert run == {*QUEUES, *SYSTEM_QUEUES, *OTHERS}


@every_service
def test_ports_are_published_on_this_machine_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@every_service
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["init"] is True
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert "privileged" not in service
    assert not any("docker.sock" in source for source in sources(service))


@every_service
def test_a_service_that_answers_somebody_says_whether_it_is_healthy(name: str) -> None:
    assert ("healthcheck" in SERVICES[name]) == (name not in _ONLY_ALIVE_OR_NOT)


@pytest.mark.parametrize("name", PREFORK)
def test_a_prefork_worker_gets_its_soft_shutdown_and_the_time_for_it(name: str) -> None:
    service = SERVICES[name]
    assert service["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
    soft = float(service["environment"]["UNPEND_SOFT_SHUTDOWN_SECONDS"])
    assert seconds(service["stop_grace_period"]) >= soft + 15


def test_no_other_process_remaps_its_signals() -> None:
    remapping = {name for name, s in SERVICES.items() if "REMAP_SIGTERM" in s.get("environment", {})}
    assert remapping == set(PREFORK)


def test_every_secret_an_installation_cannot_do_without_is_a_secret_file_of_its_name() -> None:
    # The index key may be left out by installations that are older than it; a new one has its own.
    wanted = {"unpend_index_key"} | {
        f"unpend_{name}" for name, field in Settings.model_fields.items() if field.annotation is SecretStr
    }
    of_roles = {f"unpend_database_url_{role}" for role in ("migrate", "retention", "reader")}
    # What providers, the order system and the language model want; empty where there is none.
    outside = {
        f"unpend_{name}"
        for name, field in Settings.model_fields.items()
        if field.annotation == (SecretStr | None)
        and not name.startswith(("database_url", "index", "limits", "intake"))
    }
    made = {name for name in DOCUMENT["secrets"] if name.startswith("unpend_")}
    assert made == wanted | of_roles | outside | {"unpend_broker_url_flower", "unpend_producer_url"}
    assert wanted <= set(SERVICES["worker-contact"]["secrets"])


def test_the_broker_of_the_containers_has_the_users_of_the_embedded_one(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    shutil.copy(PROJECT / "deploy" / "make-secrets.sh", tmp_path)
    subprocess.run(["sh", str(tmp_path / "make-secrets.sh")], check=True, timeout=180)
    (tmp_path / "valkey-server").write_text("#!/bin/sh\nexec cat\n", encoding="utf-8")
    (tmp_path / "valkey-server").chmod(0o755)
    (command,) = SERVICES["valkey"]["command"]
    configured = subprocess.run(
        [*SERVICES["valkey"]["entrypoint"], command.replace("$$", "$").replace("/run/secrets", str(secrets))],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    ).stdout.splitlines()
    files = ("unpend_broker_url", "unpend_broker_url_flower", "unpend_producer_url")
    urls = [urlsplit((secrets / file).read_text(encoding="utf-8")) for file in files]
    assert [line for line in configured if line.startswith("user ")] == [
        f"user {url.username} on #{sha256(str(url.password).encode()).hexdigest()} {USERS[str(url.username)]}"
        for url in urls
    ]
    assert {url.username for url in urls} == USERS.keys()
    operator = (secrets / "valkey_password").read_text(encoding="utf-8")
    assert f"requirepass {operator}" in configured
    assert not [url for url in urls if operator in str(url.password)]


def test_the_word_of_the_broker_is_given_to_the_broker_alone() -> None:
    given = {name for name, service in SERVICES.items() if "valkey_password" in service.get("secrets", ())}
    assert given == {"valkey"}


def test_no_secret_is_given_in_the_environment() -> None:
    given = {
        variable.lower(): str(value)
        for service in SERVICES.values()
        for variable, value in service.get("environment", {}).items()
    }
    told = {v for v in given if re.search("password|secret|token|key|database_url|broker_url", v)}
    assert all(given[variable].startswith("/run/secrets/") for variable in told)


def test_every_secret_file_is_made_by_the_script() -> None:
    script = (PROJECT / "deploy/make-secrets.sh").read_text(encoding="utf-8")
    made = set(re.findall(r"^keep ([a-z_]+) ", script, flags=re.MULTILINE))
    assert {f"./deploy/secrets/{name}" for name in made} == {s["file"] for s in DOCUMENT["secrets"].values()}


def test_postgres_keeps_its_data_where_version_18_looks_for_it() -> None:
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_the_image_runs_as_the_user_that_compose_names_and_installs_by_hash() -> None:
    dockerfile = (PROJECT / "deploy/Dockerfile").read_text(encoding="utf-8")
    assert f"USER {SERVICES['api']['user']}" in dockerfile
    assert "--require-hashes -r /tmp/requirements.lock" in dockerfile


def test_every_package_reaches_the_image() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    modules = {f"{name}.py" for name in project["tool"]["setuptools"]["py-modules"]}
    let_in = {
        line[1:]
        for line in (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    built_from = {"pyproject.toml", "README.md", "requirements.lock", "deploy/build.lock"}
    assert let_in == packages | modules | built_from | {"config"}
