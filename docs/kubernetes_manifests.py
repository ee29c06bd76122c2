#!/usr/bin/env python3
"""The manifests of `deploy/kubernetes/`: one deployment a process, with its secrets from `fleet.process_secrets`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from fleet.process_secrets import FLOWER, INTAKE, LIMITS, NAMED, secrets_of
from runtime.settings import REQUEST_SECRET, WEBHOOK_SECRET
from schemas.core.agents import Agent, read_agents

_HEAD: Final = (
    "# Written by docs/generate.py: from kubernetes_manifests.py, agents.yaml and process_secrets.py.\n"
)
_NAMESPACE: Final = "unpend"
_SETTINGS: Final = "unpend-settings"
_SECRETS: Final = "unpend-secrets"
_NAMED_SECRETS: Final = {REQUEST_SECRET: "unpend-request-secrets", WEBHOOK_SECRET: "unpend-webhook-secrets"}
"""The Secrets with what definitions name, by what that is for; an installation may be without them."""
_USER: Final = 10001
_SERVED: Final = {"api": 8080, "console": 8081, "exporter": 9464, "flower": 5555}
"""The processes that others reach, with their ports."""
_AS_ROLE: Final = {"upkeep": "UNPEND_DATABASE_URL_RETENTION", "exporter": "UNPEND_DATABASE_URL_READER"}
"""Who reaches the database under another role than the application's."""
_MOST_REPLICAS: Final = 8
_ROWS_A_REPLICA: Final = 2000
"""Steps that wait in a queue before its agent is given one worker more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A process of the fleet, as a deployment has it."""

    name: str
    command: tuple[str, ...]
    probe: tuple[str, ...] = ()
    replicas: int = 1
    memory: str = "384Mi"
    grace_seconds: int = 20
    outside: bool = False
    """Whether it reaches addresses outside the cluster."""
    environment: Mapping[str, str] | None = None


def workloads(agents: list[Agent]) -> list[Workload]:
    """Every process of the fleet; two of what may be several, so that one host may go."""
    python = ("python", "-m")
    return [
        Workload(
            name="api",
            command=(*python, "fleet.api_process"),
            probe=("http://127.0.0.1:8080/v1/health/ready",),
            replicas=2,
            memory="768Mi",
            outside=True,
            environment={"UNPEND_API_ADDRESS": "0.0.0.0", "UNPEND_API_PORT": "8080"},  # noqa: S104 - in a pod
        ),
        Workload(
            name="console",
            command=(*python, "fleet.console_process"),
            probe=("http://127.0.0.1:8081/console/health",),
            replicas=2,
            memory="512Mi",
            environment={"UNPEND_CONSOLE_ADDRESS": "0.0.0.0", "UNPEND_CONSOLE_PORT": "8081"},  # noqa: S104
        ),
        Workload(name="intake", command=(*python, "workers", "intake"), replicas=2),
        *(
            Workload(
                name=f"worker-{agent.name}",
                command=(*python, "workers", agent.name),
                probe=(agent.name,),
                memory="768Mi",
                # The soft shutdown and 15 s more.
                grace_seconds=35,
                outside=agent.outside,
                environment={"REMAP_SIGTERM": "SIGQUIT", "UNPEND_SOFT_SHUTDOWN_SECONDS": "20"},
            )
            for agent in agents
        ),
        Workload(
            name="tick", command=(*python, "workers", "tick"), probe=("tick",), replicas=2, grace_seconds=75
        ),
        Workload(name="upkeep", command=(*python, "workers", "upkeep"), probe=("upkeep",), grace_seconds=30),
        Workload(name="beat", command=(*python, "workers", "beat"), replicas=2),
        Workload(
            name="exporter",
            command=(*python, "workers", "exporter"),
            probe=("http://127.0.0.1:9464/health",),
            environment={"UNPEND_EXPORTER_ADDRESS": "0.0.0.0", "UNPEND_EXPORTER_PORT": "9464"},  # noqa: S104
        ),
        Workload(
            name="flower",
            command=(
                "sh",
                "-ec",
                'FLOWER_BASIC_AUTH="$(cat /run/secrets/flower_basic_auth)" exec python -m workers flower',
            ),
            probe=("http://127.0.0.1:5555/healthcheck",),
            environment={"UNPEND_FLOWER_ADDRESS": "0.0.0.0", "UNPEND_FLOWER_PORT": "5555"},  # noqa: S104
        ),
    ]


def manifests(config_folder: Path) -> dict[str, str]:
    """The text of each file of `deploy/kubernetes/`, by its name."""
    agents = list(read_agents(config_folder))
    every = workloads(agents)
    return {
        "fleet.yaml": _documents(map(_deployment, every)),
        "services.yaml": _documents(_service(name, port) for name, port in _SERVED.items()),
        "autoscaling.yaml": _documents(_autoscaler(agent) for agent in agents),
        "availability.yaml": _documents(_budget(one) for one in every if one.replicas > 1),
        "network.yaml": _documents(_network(every)),
    }


class _Plain(yaml.SafeDumper):
    """Writes what stands in two places twice, and no reference."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def _documents(documents: Any) -> str:
    return _HEAD + yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


def _named(kind: str, version: str, name: str, **further: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": _NAMESPACE, "labels": _labels(name)},
        **further,
    }


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "unpend"}


def _selected(name: str) -> dict[str, Any]:
    return {"matchLabels": {"app.kubernetes.io/name": name}}


def _deployment(one: Workload) -> dict[str, Any]:
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": one.grace_seconds,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": _selected(one.name),
            }
        ],
        "containers": [_container(one)],
        "volumes": [
            {"name": "secrets", "projected": {"sources": [_projected(one.name), *_named_secrets(one.name)]}},
            {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
        ],
    }
    return _named(
        "Deployment",
        "apps/v1",
        one.name,
        spec={
            "replicas": one.replicas,
            "selector": _selected(one.name),
            "template": {"metadata": {"labels": _labels(one.name)}, "spec": pod},
        },
    )


def _container(one: Workload) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": one.name,
        "image": "unpend:latest",
        "command": list(one.command),
        "envFrom": [{"configMapRef": {"name": _SETTINGS}}],
        "env": [{"name": name, "value": value} for name, value in (one.environment or {}).items()],
        "resources": {
            "requests": {"cpu": "100m", "memory": one.memory},
            "limits": {"memory": one.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "secrets", "mountPath": "/run/secrets", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
        ],
    }
    if one.name in _SERVED:
        container["ports"] = [{"name": "http", "containerPort": _SERVED[one.name]}]
    if one.probe:
        look = {"exec": {"command": ["python", "-m", "workers.probe", *one.probe]}, "timeoutSeconds": 15}
        container["startupProbe"] = {**look, "periodSeconds": 3, "failureThreshold": 40}
        kind = "readinessProbe" if one.name in _SERVED else "livenessProbe"
        container[kind] = {**look, "periodSeconds": 60, "failureThreshold": 3}
    return container


def _projected(name: str) -> dict[str, Any]:
    """The keys of the one Secret that this process is given, under the names of its files."""
    given = {key: key.lower() for key in secrets_of(name) - LIMITS - INTAKE}
    items = [
        {"key": (_AS_ROLE.get(name, key) if key == "UNPEND_DATABASE_URL" else key).lower(), "path": path}
        for key, path in sorted(given.items())
    ]
    if name == "api":
        items.append({"key": "unpend_database_url_retention", "path": "unpend_database_url_retention"})
    if secrets_of(name) >= FLOWER:
        broker = next(item for item in items if item["path"] == "unpend_broker_url")
        broker["key"] = "unpend_broker_url_flower"
    return {"secret": {"name": _SECRETS, "items": items}}


def _named_secrets(process: str) -> list[dict[str, Any]]:
    """The Secret with what definitions name, all of it, where this process is given one."""
    if process not in NAMED:
        return []
    return [{"secret": {"name": _NAMED_SECRETS[NAMED[process]], "optional": True}}]


def _service(name: str, port: int) -> dict[str, Any]:
    spec = {
        "selector": {"app.kubernetes.io/name": name},
        "ports": [{"name": "http", "port": port, "targetPort": "http"}],
    }
    return _named("Service", "v1", name, spec=spec)


def _autoscaler(agent: Agent) -> dict[str, Any]:
    """By what waits in the agent's queue, as Prometheus has it from the exporter."""
    name = f"worker-{agent.name}"
    waiting = {
        "type": "External",
        "external": {
            "metric": {
                "name": "queue_rows",
                "selector": {"matchLabels": {"queue": agent.name, "state": "ready"}},
            },
            "target": {"type": "AverageValue", "averageValue": str(_ROWS_A_REPLICA)},
        },
    }
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": 1,
        "maxReplicas": _MOST_REPLICAS,
        "metrics": [waiting],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
    }
    return _named("HorizontalPodAutoscaler", "autoscaling/v2", name, spec=spec)


def _budget(one: Workload) -> dict[str, Any]:
    spec = {"maxUnavailable": 1, "selector": _selected(one.name)}
    return _named("PodDisruptionBudget", "policy/v1", one.name, spec=spec)


def _network(every: list[Workload]) -> list[dict[str, Any]]:
    """Nobody is reached but through the services; who needs no way out of the cluster has none but to the servers."""
    servers = [
        {"ports": [{"port": 5432}, {"port": 6432}, {"port": 6379}, {"port": 26379}, {"port": 5672}]},
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
    ]
    policies = []
    for one in every:
        served = _SERVED.get(one.name)
        spec: dict[str, Any] = {
            "podSelector": _selected(one.name),
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [] if served is None else [{"ports": [{"port": served}]}],
            "egress": [{}] if one.outside else servers,
        }
        policies.append(_named("NetworkPolicy", "networking.k8s.io/v1", one.name, spec=spec))
    return policies
