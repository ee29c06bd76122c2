"""BPMN files over HTTP: taken in as drafts, given out, drawn with the position of a run."""

from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pytest

from tests.support.api.client import ApiClient
from tests.support.bpmn.short_files import OPEN, READY, REJECTED

XML = {"Content-Type": "application/xml"}


def sent(api: ApiClient, text: str, **query: Any) -> dict[str, Any]:
    answer: httpx2.Response = api.post("/workflows/import", content=text.encode(), headers=XML, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(api: ApiClient) -> set[str]:
    return {each["workflow"] for each in api.get("/workflows").json()["workflows"]}


def test_a_file_is_kept_as_a_draft_that_can_be_activated_and_begun(api: ApiClient) -> None:
    found = sent(api, READY)
    assert (found["outcome"], found["open_points"], found["problems"]) == ("ready", [], [])
    assert found["definitions"] == [{"workflow": "visit", "version": "1", "ready": True, "flow_nodes": 3}]
    assert api.post("/workflows/visit/1/activate").status_code == 200
    assert api.post("/workflows/visit/start", json={}).status_code == 201


def test_a_check_keeps_nothing(api: ApiClient) -> None:
    assert sent(api, READY, check=True)["outcome"] == "ready"
    assert "visit" not in names(api)


def test_what_is_open_is_told_with_line_and_element_and_keeps_a_draft_from_being_activated(
    api: ApiClient,
) -> None:
    found = sent(api, OPEN)
    assert found["outcome"] == "draft"
    (point,) = [each for each in found["open_points"] if each["element"] == "call"]
    assert point["line"] == 4
    refused = api.post("/workflows/visit/1/activate")
    assert refused.status_code == 409, refused.text
    assert api.get("/workflows/visit/1").json()["state"] == "draft"


def test_a_file_that_is_rejected_says_every_reason_and_leaves_nothing(api: ApiClient) -> None:
    found = sent(api, REJECTED)
    assert (found["outcome"], found["definitions"]) == ("rejected", [])
    assert [each["line"] for each in found["problems"]] == [4, 5]
    assert "visit" not in names(api)


def test_another_body_for_a_version_that_there_is_keeps_nothing_of_the_file(api: ApiClient) -> None:
    sent(api, READY)
    two = READY.replace(
        "</process>", '</process><process id="further" isExecutable="true"><startEvent id="s"/></process>'
    )
    answer = api.post("/workflows/import", content=two.replace("到访", "回访").encode(), headers=XML)
    assert answer.status_code == 409
    assert "further" not in names(api)


def test_what_is_no_xml_is_refused_by_its_type_and_by_its_size(api: ApiClient) -> None:
    assert api.post("/workflows/import", json={}).status_code == 415
    answer = api.post("/workflows/import", content=b" " * (5 * 1_048_576 + 1), headers=XML)
    assert answer.status_code == 413


def test_a_version_is_given_out_as_a_file_that_comes_back_as_itself(api: ApiClient) -> None:
    sent(api, READY)
    answer = api.get("/workflows/visit/1/bpmn")
    assert answer.headers["content-type"].startswith("application/xml")
    assert sent(api, answer.text)["outcome"] == "ready"


@pytest.mark.parametrize("form", ["bpmn", "diagram.svg"])
def test_a_version_that_there_is_not_is_not_found(api: ApiClient, form: str) -> None:
    assert api.get(f"/workflows/visit/9/{form}").status_code == 404


def test_a_picture_shows_where_an_execution_stands(api: ApiClient) -> None:
    sent(api, READY)
    api.post("/workflows/visit/1/activate")
    begun = api.post("/workflows/visit/start", json={}).json()["execution_id"]
    plain, standing = api.get("/workflows/visit/1/diagram.svg"), api.get(f"/executions/{begun}/diagram.svg")
    assert standing.headers["content-type"] == "image/svg+xml"
    for picture in (plain, standing):
        assert ET.fromstring(picture.text).tag.endswith("svg")
    assert plain.text != standing.text
