"""docs/http_steps.md is run: its file is read, its workflow is carried to its end, and its tables are complete."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml
from pydantic import SecretStr

from runtime.cipher import Cipher
from runtime.settings import PROJECT
from schemas.flows.general_steps import HTTP
from storage.core.database import Database
from tasks.flows.context import FlowsContext
from tests.support.api.client import api_over
from tests.support.engine.general_runs import begin
from tests.support.flows.http_steps import CALLBACKS, ToTheServer
from tests.support.flows.other_side import OtherSide
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.probe import Probe
from tools.http_requests.http_file import HttpDocument
from tools.http_requests.rules import HttpRules

PAGE: Final = (PROJECT / "docs" / "http_steps.md").read_text(encoding="utf-8")
FILE, WORKFLOW = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))


def test_the_workflow_of_the_page_is_carried_to_its_end(database_url: str, side: OtherSide) -> None:
    document = HttpDocument.model_validate(FILE)
    values = dict.fromkeys(document.secrets.values(), SecretStr("a secret of the page"))
    rules = HttpRules(document.hosts, document.secrets, values)
    database = Database(database_url, Cipher(CIPHER_KEY))
    flows = FlowsContext(database, lambda: ToTheServer(rules, side.port), CALLBACKS)
    fleet = InProcessFleet.build(database_url, database=database, flows=flows, workflows=[WORKFLOW])
    fleet.engine.definition_rules.require(WORKFLOW)
    (run_id,) = begin(fleet, WORKFLOW["workflow"])
    fleet.run()
    (asked,) = side.asked
    assert (asked.method, asked.path, asked.json) == ("POST", "/refunds", {"sum": 120.5, "currency": "CNY"})
    assert asked.headers["authorization"] == "Bearer a secret of the page"
    with api_over(fleet) as api:
        path = asked.headers["unpend-callback"].removeprefix(CALLBACKS)
        assert api.post(path, None, json={"paid": True}).status_code == 200
    fleet.run()
    outputs = Probe(database).values("SELECT output FROM steps WHERE run_id = %s ORDER BY step_id", run_id)
    assert outputs[0]["callback"] == {"paid": True}
    body = Probe(database).value("SELECT body FROM reports WHERE report_id = %s", outputs[1]["report_id"])
    assert body.startswith("# Refunds\n\n| order | sum |\n")
    fleet.close()


def test_the_table_of_parameters_names_every_one() -> None:
    properties: Mapping[str, Any] = HTTP["properties"]  # type: ignore[assignment]
    expected = {f"request.{name}" for name in properties["request"]["properties"]}
    expected |= properties.keys() - {"request"}
    section = PAGE.partition("## A step")[2].partition("## ")[0]
    assert set(re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)) == expected
