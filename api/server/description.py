"""The API's description, finished: what every operation shares, and the links between them (OpenAPI 3.1)."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from api.server.errors import STATUS, documented
from api.server.links import LINKS
from api.server.request_id import HEADER
from schemas.core.error import Code
from schemas.core.form import Answered, Sent
from schemas.orders.intake import TaskCreated

TAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "orchestrator": "Orders come in, are asked after, and have their waiting steps passed to the agents.",
        "contact": "The customer is contacted, what came of it is recorded, and who may be called is kept.",
        "triage": "What the customer said is understood, or somebody's understanding is checked.",
        "actions": "What was understood is carried out: an appointment, a follow-up, a cancellation.",
        "audit": "The record of what was done, alerts that need attention, and reports.",
        "states": "The state machine: its table, where an order stands, how it came there, and moving it.",
        "tools": "The agents' tools by name, in one envelope.",
        "people": "What waits for a person: reviews to be decided, alerts to be handled.",
        "agents": "The fleet's agents and those that register: what each can do and how busy it is.",
        "tasks": "Work of any kind, orders too: asked for, listed, looked at, steered, told what happened.",
        "events": "What happens, as it happens, in order and resumable: server-sent events, pages, and a WebSocket.",
        "webhooks": "Where channels report; and who is told of what happens, with what was sent to each.",
        "intake": "Orders that were refused: looked at, corrected and replayed, or dismissed.",
        "keys": "Who may call, and as whom: keys made, followed by others, revoked.",
        "privacy": "A customer's number and words in clear, and their erasure.",
        "capacity": "How many visits a region has room for on a day, and the slots a customer may be offered.",
        "health": "Whether this process lives and can work, and its figures; open to anyone.",
    }
)
"""What each room of the API is for, in the order of the page."""

_OF_BODIES: Final = (Code.PAYLOAD_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE)
_REQUEST_ID: Final = {
    "description": "The request's id: the caller's own where it is usable.",
    "schema": {"type": "string", "maxLength": 64},
}
_RETRY_AFTER: Final = {
    "description": "Seconds until it is worth trying again.",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
_LOCATION: Final = {"description": "Where to ask what came of it.", "schema": {"type": "string"}}
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})


class DescribedApi(FastAPI):
    """A FastAPI application that adds to its description what the framework cannot know."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document; the same object every time."""
        if self.openapi_schema is None:
            document = super().openapi()
            _give_examples_back(document["components"]["schemas"])
            for operation in operations_of(document):
                _complete(operation)
                _exemplify(operation, document["components"]["schemas"])
        assert self.openapi_schema is not None, "the framework keeps what it made"
        return self.openapi_schema


def operations_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of an OpenAPI document."""
    for methods in document["paths"].values():
        for method, operation in methods.items():
            if method in _METHODS:
                yield operation


def _give_examples_back(schemas: dict[str, dict[str, Any]]) -> None:
    """Write the examples as the models have them: the framework leaves out every null, also those that are said."""
    models: list[type[BaseModel]] = [TaskCreated, *_derived(Sent), *_derived(Answered)]
    for model in models:
        extra = model.model_config.get("json_schema_extra")
        if isinstance(extra, dict) and "examples" in extra and model.__name__ in schemas:
            schemas[model.__name__]["examples"] = extra["examples"]


def _derived(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _derived(each)


def _complete(operation: dict[str, Any]) -> None:
    responses: dict[str, dict[str, Any]] = operation["responses"]
    if "requestBody" in operation:
        for code in _OF_BODIES:
            responses.setdefault(str(STATUS[code]), _error(code))
    for status, response in responses.items():
        headers = response.setdefault("headers", {})
        headers[HEADER] = _REQUEST_ID
        if status in ("429", "503"):
            headers["Retry-After"] = _RETRY_AFTER
        if status == "202":
            headers["Location"] = _LOCATION
        links = LINKS.get((operation["operationId"], status), ())
        if links:
            response["links"] = {link.operation: link.described for link in links}


def _exemplify(operation: dict[str, Any], schemas: Mapping[str, dict[str, Any]]) -> None:
    """Show an example of each form of a body that has several, or may be absent: the framework shows those of one."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        forms = [*content["schema"].get("oneOf", ()), *content["schema"].get("anyOf", ())]
        names = [form["$ref"].rpartition("/")[2] for form in forms if "$ref" in form]
        examples = {name: {"value": schemas[name]["examples"][0]} for name in names}
        if examples:
            content["examples"] = examples


def _error(code: Code) -> dict[str, Any]:
    """The response of a code as FastAPI writes it where a route declares it."""
    declared = documented(code)[STATUS[code]]
    schema = {"$ref": f"#/components/schemas/{declared['model'].__name__}"}
    return {
        "description": declared["description"],
        "content": {"application/json": {"schema": schema}},
    }
