"""deploy/kubernetes: plain manifests of the whole fleet, true to their schemas, to the processes and their secrets."""

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import kubernetes_validate
import pytest
import yaml

from fleet.process_secrets import INTAKE, LIMITS, secrets_of
from runtime.settings import PROJECT
from tests.architecture.test_deployment import SERVICES

FOLDER = PROJECT / "deploy" / "kubernetes"
SERVERS = {
    "postgres",
    "valkey",
    "prometheus",
    "alertmanager",
    "grafana",
    "elasticsearch",
    "filebeat",
    "kibana",
}
VERSION = "1.33.0"


def documents() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield f"{path.name} {document['kind']} {document['metadata']['name']}", document


DOCUMENTS = dict(documents())
WORKLOADS = {
    document["metadata"]["name"]: document
    for document in DOCUMENTS.values()
    if document["kind"] in ("Deployment", "Job")
}
every_workload = pytest.mark.parametrize("name", WORKLOADS)


def pod_of(name: str) -> Mapping[str, Any]:
    pod: Mapping[str, Any] = WORKLOADS[name]["spec"]["template"]["spec"]
    return pod


def given(name: str) -> dict[str, str]:
    """The files with secrets of a process, and the keys they come from."""
    secret = pod_of(name)["volumes"][0]
    items = (
        secret["projected"]["sources"][0]["secret"]["items"]
        if "projected" in secret
        else secret["secret"]["items"]
    )
    return {item["path"]: item["key"] for item in items}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_manifest_is_what_its_kind_may_be(name: str) -> None:
    kubernetes_validate.validate(dict(DOCUMENTS[name]), VERSION, strict=True)


def test_the_manifests_are_as_they_are_generated() -> None:
    generated = _manifests().manifests(PROJECT / "config")
    assert {name: (FOLDER / name).read_text(encoding="utf-8") for name in generated} == generated


def test_every_process_of_the_fleet_has_a_workload_with_the_command_it_has_in_compose() -> None:
    ours = {name: service for name, service in SERVICES.items() if "profiles" not in service}
    commands = {name: service["command"] for name, service in ours.items() if name not in SERVERS}
    shown = {name: pod_of(name)["containers"][0]["command"] for name in WORKLOADS}
    # Compose doubles a dollar that is the shell's.
    assert shown == {
        name: [word.replace("$$", "$") for word in command] for name, command in commands.items()
    }


@every_workload
def test_a_process_is_given_its_own_secrets_and_they_are_made(name: str, tmp_path: Path) -> None:
    shutil.copy(PROJECT / "deploy" / "make-secrets.sh", tmp_path)
    subprocess.run(["sh", tmp_path / "make-secrets.sh"], check=True, capture_output=True)
    assert set(given(name).values()) <= {path.name for path in (tmp_path / "secrets").iterdir()}
    if name == "migrate":
        return
    of_role = {"unpend_database_url_retention"} if name == "api" else set()
    assert set(given(name)) == {key.lower() for key in secrets_of(name) - LIMITS - INTAKE} | of_role


def test_the_secrets_that_definitions_name_are_an_own_secret_of_who_is_given_them() -> None:
    further = {
        name: [source["secret"] for source in volume["projected"]["sources"][1:]]
        for name in WORKLOADS
        if "projected" in (volume := pod_of(name)["volumes"][0])
    }
    assert {name: found for name, found in further.items() if found} == {
        "api": [{"name": "unpend-webhook-secrets", "optional": True}],
        "worker-general": [{"name": "unpend-request-secrets", "optional": True}],
    }


def test_the_roles_of_the_database_and_the_users_of_the_broker_are_those_of_compose() -> None:
    other = {name: {key for path, key in given(name).items() if path != key} for name in WORKLOADS}
    assert {name: keys for name, keys in other.items() if keys} == {
        "upkeep": {"unpend_database_url_retention"},
        "exporter": {"unpend_database_url_reader"},
        "flower": {"unpend_broker_url_flower"},
    }


@every_workload
def test_nothing_runs_as_root_or_writes_to_its_image(name: str) -> None:
    pod = pod_of(name)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_workers_are_scaled_by_a_metric_that_the_exporter_has() -> None:
    series = (PROJECT / "workers" / "metrics" / "series.py").read_text(encoding="utf-8")
    scaled = [document for document in DOCUMENTS.values() if document["kind"] == "HorizontalPodAutoscaler"]
    assert {document["spec"]["scaleTargetRef"]["name"] for document in scaled} == {
        name for name in WORKLOADS if name.startswith("worker-")
    }
    for document in scaled:
        assert f'"{document["spec"]["metrics"][0]["external"]["metric"]["name"]}"' in series


def _manifests() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "kubernetes_manifests", PROJECT / "docs" / "kubernetes_manifests.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
