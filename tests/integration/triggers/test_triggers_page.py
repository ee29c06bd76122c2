"""The examples of docs/triggers.md do what the page says."""

import json
import re
from typing import Any

import yaml

from runtime.settings import PROJECT
from tests.support.api.client import ApiClient
from tests.support.engine.triggered_runs import runs_of

PAGE = (PROJECT / "docs" / "triggers.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"<!-- (.+?) -->\n```\w+\n(.*?)```", re.DOTALL)


def test_the_examples_of_the_page_are_activated_and_begin_what_it_says(api: ApiClient) -> None:
    begun: dict[str, int] = {}
    examples = EXAMPLE.findall(PAGE)
    for what, written in examples:
        if what == "workflow":
            body: dict[str, Any] = yaml.safe_load(written)
            added = api.post("/workflows", json=body)
            assert added.status_code == 200, added.text
            activated = api.post(f"/workflows/{body['workflow']}/{body['version']}/activate")
            assert activated.status_code == 200, activated.text
            continue
        method, path, _, workflow = what.split()
        taken = api.call(method, path, json=json.loads(written)).json()
        assert len(taken["runs"]) == (workflow != "nothing"), taken
        assert taken["refused"] == 0
        if workflow != "nothing":
            begun[workflow] = begun.get(workflow, 0) + 1
    assert {name: len(runs_of(api.house, name)) for name in begun} == begun == {"refund": 1, "paid": 2}
    assert len(examples) == PAGE.count("```") // 2
