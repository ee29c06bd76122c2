"""The API's description is complete: words, examples that hold, and the seed's bodies."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from api.server.description import operations_of
from schemas.core.examples import read_examples
from schemas.core.form import Answered
from tests.support.api.client import built_over
from tests.support.api.seed_bodies import ANSWERS, REQUESTS
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture(scope="module")
def described() -> Iterator[dict[str, Any]]:
    house = InProcessFleet.build("postgresql+psycopg://nobody:swordfish@127.0.0.1:1/nothing")
    with built_over(house) as app:
        yield app.openapi()
    house.close()


def models(of: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in of.__subclasses__():
        yield model
        yield from models(model)


MODELS = {model.__name__: model for model in models(BaseModel) if model.__module__.startswith("schemas.")}
EXAMPLES = [
    (f"{name} {n}", MODELS[name], each)
    for name, examples in read_examples().items()
    for n, each in enumerate(examples)
]


@pytest.mark.parametrize(
    ("model", "example"), [each[1:] for each in EXAMPLES], ids=[each[0] for each in EXAMPLES]
)
def test_every_example_is_taken_by_its_model_and_written_back_as_it_is(
    model: type[BaseModel], example: Any
) -> None:
    taken = model.model_validate(example)
    if issubclass(model, Answered):
        assert taken.model_dump(mode="json", exclude_unset=True) == example


def test_every_operation_says_what_it_does_and_what_its_parameters_are(described: dict[str, Any]) -> None:
    for operation in operations_of(described):
        assert operation["description"].strip(), operation["operationId"]
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), f"{operation['operationId']}: {parameter['name']}"


def test_every_body_and_every_answer_has_an_example(described: dict[str, Any]) -> None:
    for operation in operations_of(described):
        bodies = [operation.get("requestBody", {})]
        bodies += [answer for status, answer in operation["responses"].items() if status < "300"]
        for body in bodies:
            content = body.get("content", {}).get("application/json")
            assert content is None or exemplified(described, content), operation["operationId"]


def test_a_body_of_several_forms_or_none_shows_an_example_of_each(described: dict[str, Any]) -> None:
    shown = {
        operation["operationId"]: set(content["examples"])
        for operation in operations_of(described)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "examples" in content
    }
    assert shown == {
        "create_task": {"GeneralTask", "TaskCreated"},
        "cancel_task": {"CancelAsked"},
        **{
            f"{verb}_execution": {"Intervened"}
            for verb in ("pause", "resume", "cancel", "terminate", "retry")
        },
        "send_signal": {
            "PartArrivedSent", "PhoneChangedSent", "PriorityChangedSent", "OrderCancelledSent",
            "CustomerCalledSent", "ContinueSent",
        },
    }  # fmt: skip


def test_every_room_says_what_it_is_for(described: dict[str, Any]) -> None:
    used = {tag for operation in operations_of(described) for tag in operation["tags"]}
    assert {tag["name"] for tag in described["tags"] if tag["description"]} == used


def test_a_callback_that_proves_nothing_is_described_and_a_conflict_that_never_comes_is_not(
    described: dict[str, Any],
) -> None:
    for path in ("/v1/webhooks/contact/{provider}", "/v1/webhooks/contact/{provider}/{token}"):
        responses = described["paths"][path]["post"]["responses"]
        assert "401" in responses
        assert "409" not in responses


def exemplified(described: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    return "example" in content or of_schema(described, content["schema"])


def of_schema(described: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    forms = [
        form for form in (*schema.get("oneOf", ()), *schema.get("anyOf", ())) if form != {"type": "null"}
    ]
    own = "example" in schema or bool(schema.get("examples"))
    return own or (bool(forms) and all(of_schema(described, form) for form in forms))


@pytest.mark.parametrize("name", REQUESTS)
def test_what_the_seed_sends_is_the_first_example_and_is_taken(described: dict[str, Any], name: str) -> None:
    assert described["components"]["schemas"][name]["examples"][0] == REQUESTS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_what_the_seed_answers_is_in_the_first_example(described: dict[str, Any], name: str) -> None:
    example = described["components"]["schemas"][name]["examples"][0]
    assert within(ANSWERS[name], example), example


def within(seeds: Any, ours: Any) -> bool:
    """Whether everything of the seed's is in ours, as it is there."""
    if isinstance(seeds, dict):
        return isinstance(ours, dict) and all(
            name in ours and within(value, ours[name]) for name, value in seeds.items()
        )
    return bool(seeds == ours)


def test_what_every_operation_shares_is_described_at_each(described: dict[str, Any]) -> None:
    for operation in operations_of(described):
        responses = operation["responses"]
        assert all("X-Request-ID" in response["headers"] for response in responses.values())
        assert "requestBody" not in operation or {"413", "415"} <= responses.keys()
        assert "429" not in responses or "Retry-After" in responses["429"]["headers"]
