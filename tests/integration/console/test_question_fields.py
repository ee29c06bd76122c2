"""Questions of general work as forms: drawn from the question's schema, each fault beside its field, nothing lost."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from schemas.access.roles import Role
from statemachine.workflow.options.human import NO_RULES, HumanRules
from storage.people.reviews import Review
from tasks.people.due_holds import apply_due
from tests.support.console.client import ConsoleClient, console_over, words_on
from tests.support.engine.general_runs import ScriptedActions, begin
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.questions import ONE_QUESTION, asked_with

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "amount": {
            "type": "integer",
            "minimum": 1,
            "maximum": 9,
            "title": "数量",
            "description": "几件 <script>",
        },
        "share": {"type": "number"},
        "why": {"type": "string", "maxLength": 5},
        "paid": {"type": "boolean"},
        "grade": {"enum": ["A", "B", 3]},
        "parts": {"type": "array", "items": {"enum": ["pump", "valve"]}, "minItems": 1},
        "place": {"type": "object", "properties": {"room": {"type": "integer"}}},
    },
    "required": ["amount", "parts"],
    "additionalProperties": False,
}
FILLED: dict[str, Any] = {
    "choice": "yes",
    "key": "k-1",
    "answer.amount": "3",
    "answer.share": "0.5",
    "answer.why": " old ",
    "answer.paid": "false",
    "answer.grade": "3",
    "answer.parts": ['"pump"', '"valve"'],
    "answer.place": '{"room": 7}',
}


@pytest.fixture
def console(database_url: str) -> Iterator[ConsoleClient]:
    """The console of a house whose runs ask one question."""
    house = InProcessFleet.build(
        database_url, actions=ScriptedActions().actions(), workflows=[ONE_QUESTION], hold_seconds=0
    )
    with console_over(house) as client:
        client.add_person("wang", Role.REVIEWER)
        yield client
    house.close()


def taken(console: ConsoleClient, form: dict[str, Any] | None = FORM) -> Review:
    """A question with this form, which the reviewer has taken."""
    (run_id,) = begin(console.house, "one_question")
    review = asked_with(console.house, run_id, NO_RULES if form is None else HumanRules(form=form))
    assert console.post(f"/reviews/{review.review_id}/take", "wang").status_code == 200
    return review


def answered(console: ConsoleClient, review: Review, **changes: Any) -> httpx2.Response:
    """The form as it is filled in, with these fields otherwise; `None` leaves one out."""
    fields = {name: value for name, value in (FILLED | changes).items() if value is not None}
    return console.post(f"/reviews/{review.review_id}/decide", "wang", **fields)


def beside(page: httpx2.Response, key: str) -> str:
    """What is said to be wrong with a field."""
    control = re.search(rf'name="answer\.{key}"', page.text)
    assert control is not None
    says = page.text[control.end() :]
    found = re.search(
        r'-says">(.*?)</span>\s*(<span class="fault"[^>]*>(.*?)</span>)?</span>', says, re.DOTALL
    )
    assert found is not None
    return found.group(3) or ""


def test_each_field_is_drawn_by_its_kind_with_its_title_and_limits(console: ConsoleClient) -> None:
    review = taken(console)
    page = console.get(f"/reviews/{review.review_id}", "wang")
    drawn = {
        name: tag for tag, name in re.findall(r'<(input|select|textarea)[^>]*name="answer\.(\w+)"', page.text)
    }
    assert list(drawn)[:2] == ["amount", "parts"]
    assert drawn == {
        "amount": "input",
        "share": "input",
        "why": "input",
        "paid": "select",
        "grade": "select",
        "parts": "input",
        "place": "textarea",
    }
    assert page.text.count('type="checkbox" name="answer.parts"') == 2
    assert "数量 *" in words_on(page)
    assert "1–9" in words_on(page)
    assert "Your answer" in words_on(page)
    assert "几件 &lt;script&gt;" in page.text


def test_what_was_filled_in_is_answered_as_the_schema_means_it(console: ConsoleClient) -> None:
    review = taken(console)
    assert answered(console, review).status_code == 200
    assert apply_due(console.house.engine, console.house.forms) == 1
    output = Probe(console.house.database).value(
        "SELECT output FROM steps WHERE step_id = %s", review.step_id
    )
    assert (output["decision"], output["by"]) == ("yes", "wang")
    assert output["form"] == {
        "amount": 3,
        "share": 0.5,
        "why": "old",
        "paid": False,
        "grade": 3,
        "parts": ["pump", "valve"],
        "place": {"room": 7},
    }


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("amount", "", "is required"),
        ("amount", "0", "must be at least 1"),
        ("amount", "three", "must be a whole number"),
        ("share", "NaN", "must be a number"),
        ("why", "far too long", "must have at most 5 characters"),
        ("grade", '"C"', "must be one of A, B, 3"),
        ("parts", None, "choose at least 1"),
        ("place", "{", "is not JSON"),
        ("place", '{"room": "x"}', "/room: must be of the type integer"),
    ],
)
def test_a_fault_stands_beside_its_field_and_what_was_typed_stays(
    console: ConsoleClient, key: str, typed: str | None, said: str
) -> None:
    review = taken(console)
    page = answered(console, review, **{f"answer.{key}": typed, "reason": "因为"})
    assert page.status_code == 422
    assert beside(page, key) == said
    assert page.text.count('class="fault"') == 1
    assert ">因为</textarea>" in page.text
    if key not in ("why", "grade") and typed:
        assert 'value=" old "' in page.text or 'value="old"' in page.text
        assert typed.replace('"', "&#34;") in page.text
    assert Probe(console.house.database).value("SELECT count(*) FROM held_decisions") == 0


def test_faults_are_said_in_chinese(console: ConsoleClient) -> None:
    review = taken(console)
    token = console.token_of("wang")
    page = console.call(
        "POST",
        f"/reviews/{review.review_id}/decide",
        "wang",
        language="zh",
        data={**FILLED, "answer.amount": "10", "token": token},
        headers={"Origin": "http://console"},
    )
    assert beside(page, "amount") == "不能大于 9"


def test_a_question_without_a_form_is_answered_without_one(console: ConsoleClient) -> None:
    review = taken(console, None)
    assert "answer." not in console.get(f"/reviews/{review.review_id}", "wang").text
    page = console.post(f"/reviews/{review.review_id}/decide", "wang", choice="no", key="k")
    assert page.status_code == 200
