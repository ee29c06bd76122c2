#!/usr/bin/env python3
"""Writes what is drawn from the code, this folder's pages and the README's picture: `python docs/generate.py`."""

import re
from pathlib import Path

import api_page
import kubernetes_manifests

from fleet.process_secrets import LIMITS, WORK, secrets_of
from schemas.core.agents import Agent, read_agents
from statemachine.orders.diagram import mermaid
from statemachine.page import page

API = Path(__file__).resolve().parent / "api.md"
REFERENCE = Path(__file__).resolve().parent.parent / "console" / "access" / "api_reference.json"
COMPOSE = Path(__file__).resolve().parent.parent / "docker-compose.yml"
KUBERNETES = COMPOSE.parent / "deploy" / "kubernetes"
STATE_MACHINE = Path(__file__).resolve().parent / "state_machine.md"
README = Path(__file__).resolve().parent.parent / "README.md"


def with_workers(compose: str) -> str:
    """docker-compose.yml with one service for each agent of `config/agents.yaml`."""
    agents = read_agents(COMPOSE.parent / "config")
    services = "\n".join(worker_service(agent) for agent in agents)
    return re.sub(
        r"(  # agents: [^\n]*\n).*?(  # /agents\n)",
        lambda marks: f"{marks[1]}{services}{marks[2]}",
        compose,
        flags=re.DOTALL,
    )


def worker_service(agent: Agent) -> str:
    """The service of an agent's worker."""
    outside = "    networks: [data, outside]\n" if agent.outside else ""
    given = secrets_of(f"worker-{agent.name}")
    named = ", ".join(sorted(name.lower() for name in given - LIMITS))
    secrets = f"    secrets: [{named}]\n" if given > WORK else ""
    return (
        f"  worker-{agent.name}:\n"
        "    <<: *worker\n"
        f"    command: [python, -m, workers, {agent.name}]\n"
        f"{secrets}"
        f"{outside}"
        f"    healthcheck: {{<<: *probe, test: [CMD, python, -m, workers.probe, {agent.name}]}}\n"
    )


def with_picture(readme: str) -> str:
    """The README with the picture of the state machine as the table is now."""
    return re.sub(
        r"(<!-- state machine: [^>]*-->\n).*?(<!-- /state machine -->)",
        lambda marks: f"{marks[1]}```mermaid\n{mermaid()}\n```\n{marks[2]}",
        readme,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    STATE_MACHINE.write_text(page(), encoding="utf-8")
    API.write_text(api_page.page(), encoding="utf-8")
    REFERENCE.write_text(api_page.reference(), encoding="utf-8")
    COMPOSE.write_text(with_workers(COMPOSE.read_text(encoding="utf-8")), encoding="utf-8")
    for name, manifest in kubernetes_manifests.manifests(COMPOSE.parent / "config").items():
        (KUBERNETES / name).write_text(manifest, encoding="utf-8")
    README.write_text(with_picture(README.read_text(encoding="utf-8")), encoding="utf-8")
