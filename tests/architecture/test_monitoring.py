"""Rules, alerts and the dashboard speak of series that exist, and mean what they say."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.settings import PROJECT
from storage.core.database import Database
from storage.orders.figures.feeds import PROCESSING_EDGES
from tests.architecture.test_deployment import SERVICES
from tests.support.agents import QUEUES
from workers.metrics.exporter import FleetCollector

PROMETHEUS = PROJECT / "deploy/prometheus"
GRAFANA = PROJECT / "deploy/grafana"
DASHBOARD: Mapping[str, Any] = json.loads(
    (GRAFANA / "dashboards/fleet-overview.json").read_text(encoding="utf-8")
)
NOT_FROM_THE_EXPORTER = {"up", *(f"api_request_duration_{part}" for part in ("bucket", "sum", "count"))}
"""Prometheus' own, and the API's."""
PANELS = (
    "Tasks in all",
    "Tasks in progress",
    "Tasks done today",
    "Mean processing time",
    "Volume, 7 days",
    "Success rate, 7 days",
    "Answer rate, 7 days",
    "Confidence, 7 days",
    "Alerts active",
    "Alerts today",
    "Alerts handled",
    "Escalations",
)
_NO_METRIC = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|on)\s*\([^)]*\)')
_WORDS = {"and", "or", "unless"}

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)


def load(name: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))
    return loaded


def rules(name: str) -> list[Mapping[str, Any]]:
    return [rule for group in load(name)["groups"] for rule in group["rules"]]


def panels() -> list[Mapping[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def dashboard_expressions() -> Iterator[str]:
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])


def metrics_of(expression: str) -> set[str]:
    """The metric names of PromQL: its words that are neither called nor within quotes or braces."""
    words = re.finditer(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?!\s*\()", _NO_METRIC.sub(" ", expression))
    return {word.group() for word in words} - _WORDS


def run(*command: str | Path) -> None:
    done = subprocess.run(
        [*map(str, command)], cwd=PROMETHEUS, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (le) (rate(a_bucket{job="x y"}[5m]))', {"a_bucket"}),
        ("a / b < 0.9 and on () sum(increase(c[1h])) >= 20", {"a", "b", "c"}),
        ("avg(a) by (intent_level1) < 0.7 or absent(b)", {"a", "b"}),
    ],
)
def test_metric_names_are_found_in_promql(expression: str, names: set[str]) -> None:
    assert metrics_of(expression) == names


def test_every_metric_of_rules_and_dashboard_is_emitted_by_somebody(database: Database) -> None:
    emitted = {s.name for metric in FleetCollector(database, QUEUES).collect() for s in metric.samples}
    recorded = {rule["record"] for rule in rules("recording.yml")}
    used = {
        name
        for expression in (
            *(rule["expr"] for file in ("recording.yml", "alerts.yml") for rule in rules(file)),
            *dashboard_expressions(),
        )
        for name in metrics_of(expression)
    }
    assert used <= emitted | recorded | NOT_FROM_THE_EXPORTER


@pytest.mark.parametrize(
    ("metric", "limit"),
    [
        ("task_processing_time", "> 300"),
        ("task_success_rate", "< 0.9"),
        ("contact_answer_rate", "< 0.3"),
        ("triage_confidence", "< 0.7"),
        ("action_auto_execute_rate", "< 0.8"),
        ("audit_alert_count", "> 10"),
        ("agent_error_rate", "> 0.05"),
        ("api_request_duration", "> 0.5"),
    ],
)
def test_each_limit_of_the_specification_has_its_alert(metric: str, limit: str) -> None:
    alerts = [rule["expr"] for rule in rules("alerts.yml") if metric in metrics_of(rule["expr"])]
    assert any(re.search(rf"{re.escape(limit)}(?![\d.])", expression) for expression in alerts)


def test_every_alert_says_how_bad_it_is_and_what_to_do_and_has_a_test_in_which_it_fires() -> None:
    fired = {
        case["alertname"]
        for test in load("alerts_test.yml")["tests"]
        for case in test.get("alert_rule_test", ())
        if case["exp_alerts"]
    }
    for rule in rules("alerts.yml"):
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "action"}
        assert rule["alert"] in fired


def test_the_limit_for_processing_time_is_an_edge_with_close_neighbours() -> None:
    edges = list(PROCESSING_EDGES)
    place = edges.index(300)
    assert edges == sorted(edges)
    assert edges[place - 1] >= 200
    assert edges[place + 1] <= 450


def test_prometheus_scrapes_services_that_exist_at_the_ports_they_listen_on() -> None:
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in load("prometheus.yml")["scrape_configs"]
    }
    exporter, api = SERVICES["exporter"]["environment"], SERVICES["api"]["environment"]
    assert targets == {
        "exporter": [f"exporter:{exporter['UNPEND_EXPORTER_PORT']}"],
        "api": [f"api:{api['UNPEND_API_PORT']}"],
    }


@promtool
def test_promtool_accepts_the_configuration_and_the_rules() -> None:
    run("promtool", "check", "config", "prometheus.yml")
    run("promtool", "check", "rules", "recording.yml", "alerts.yml")


@promtool
def test_the_alerts_fire_when_they_should() -> None:
    run("promtool", "test", "rules", "alerts_test.yml")


@promtool
def test_promtool_can_read_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    of_dashboard = [
        {"record": f"panel:{number}", "expr": expression}
        for number, expression in enumerate(dashboard_expressions())
    ]
    written = tmp_path / "dashboard.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": of_dashboard}]}))
    run("promtool", "check", "rules", written)


@pytest.mark.parametrize("title", PANELS)
def test_the_dashboard_has_the_panel(title: str) -> None:
    assert [panel["title"] for panel in panels()].count(title) == 1


def test_trends_show_seven_days() -> None:
    assert {panel.get("timeFrom") for panel in panels() if "7 days" in panel["title"]} == {"7d"}


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_every_panel_reads_the_provisioned_data_source() -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
    (source,) = provisioned["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    asked = [panel["datasource"] for panel in panels()]
    asked += [target["datasource"] for panel in panels() for target in panel["targets"]]
    assert all(datasource == wanted for datasource in asked)


def test_grafana_finds_the_dashboard_where_compose_mounts_it() -> None:
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/fleet.yml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in SERVICES["grafana"]["volumes"]
