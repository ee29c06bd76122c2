"""docs/executions.md: its routes, verbs and words are those that there are."""

import re
from typing import Final, get_args

from runtime.settings import PROJECT
from schemas.flows.executions import LogEntry, TaskStats
from tests.support.api.client import ApiClient

PAGE: Final = (PROJECT / "docs" / "executions.md").read_text(encoding="utf-8")


def test_every_route_of_the_page_is_there_and_every_verb_is_on_it(api: ApiClient) -> None:
    paths = api.get("/openapi.json", None).json()["paths"]
    named = set(re.findall(r"^\| `(GET|POST) (/v1/\S+?)` ", PAGE, re.MULTILINE))
    assert len(named) == 8
    there = {path for path in paths if path.startswith("/v1/executions")}
    verbs = {path.rpartition("/")[2] for path in there if "post" in paths[path]}
    shown = {path for _, path in named if not path.endswith("VERB")}
    assert shown - {"/v1/workflows/{name}/start"} == {path for path in there if "get" in paths[path]}
    table = PAGE.partition("| verb | may be done | does |")[2].partition("\n\n")[0]
    assert (
        set(re.findall(r"`(\w+)[` ]", "\n".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)))) == verbs
    )


def test_the_page_has_every_state_and_every_kind_of_line() -> None:
    for word in (*TaskStats.model_fields, *get_args(LogEntry.model_fields["event_type"].annotation)):
        assert f"`{word}`" in PAGE
