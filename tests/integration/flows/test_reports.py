"""Reports: made once with their step, and read over HTTP as Markdown."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.flows.http_steps import HttpHouse, http_house
from tests.support.probe import Probe

TABLE = {
    "title": "Stock of\n today",
    "text": "All of it.",
    "columns": ["item", "pieces"],
    "rows": [["a|b", 3], ["中\n文", None, "too much"], [{"k": True}]],
}


def reporting(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    step = {"id": "report", "agent": "general", "action": "report", "parameters": parameters}
    return {"workflow": name, "version": "1", "steps": [step]}


@pytest.fixture
def house(database_url: str) -> Iterator[HttpHouse]:
    workflows = (
        reporting("table", TABLE),
        reporting("neither", {"title": "x"}),
        reporting("long", {"title": "x", "text": "y" * 300_000}),
    )
    with http_house(database_url, {}, *workflows) as opened:
        yield opened


@pytest.fixture
def api(house: HttpHouse) -> Iterator[ApiClient]:
    register_keys(house.fleet)
    with api_over(house.fleet) as caller:
        yield caller


def test_a_report_is_made_and_read(api: ApiClient, house: HttpHouse) -> None:
    run_id = house.begin("table")
    house.fleet.run()
    output = house.step(run_id).output
    answer = api.get(f"/reports/{output['report_id']}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
    assert answer.text == (
        "# Stock of today\n\nAll of it.\n\n"
        '| item | pieces |\n| --- | --- |\n| a\\|b | 3 |\n| 中 文 |  |\n| {"k": true} |  |\n'
    )
    assert api.get("/reports/REP0").status_code == 404
    assert api.get(f"/reports/{output['report_id']}", None).status_code == 401


def test_a_report_is_told_of_with_the_artifact_that_holds_it(api: ApiClient, house: HttpHouse) -> None:
    run_id = house.begin("table")
    house.fleet.run()
    output = house.step(run_id).output
    (event,) = api.get(f"/tasks/{run_id}/events", params={"format": "json"}).json()["events"]
    assert (event["event_type"], event["stage"], event["title"]) == (
        "report_ready", "report", "报告已完成: Stock of today",
    )  # fmt: skip
    assert event["artifact_ref"] == output["artifact_ref"]
    artifact = api.get("/artifacts/" + event["artifact_ref"].removeprefix("workspace://artifacts/"))
    assert artifact.text == api.get(f"/reports/{output['report_id']}").text


def test_a_report_of_a_step_that_is_delivered_again_is_kept_once(house: HttpHouse) -> None:
    house.begin("table")
    house.fleet.run()
    house.fleet.run(deliveries=2)
    assert Probe(house.fleet.database).value("SELECT count(*) FROM reports") == 1


@pytest.mark.parametrize(("name", "code"), [("neither", "invalid_input"), ("long", "too_large")])
def test_what_cannot_be_a_report_fails(name: str, code: str, house: HttpHouse) -> None:
    run_id = house.begin(name)
    house.fleet.run()
    assert house.step(run_id).error["code"] == code
