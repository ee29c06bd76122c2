"""The API's description (OpenAPI 3.1), completed: examples, and what every operation shares."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI

from api.server.errors import STATUS, documented
from api.server.middleware.request_id import HEADER
from schemas.core.error import Code
from schemas.core.examples import read_examples

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
            schemas = document["components"]["schemas"]
            for name, examples in read_examples().items():
                schemas[name]["examples"] = examples
            for operation in operations_of(document):
                _complete(operation)
                _exemplify(operation, schemas)
        assert self.openapi_schema is not None, "the framework keeps what it made"
        return self.openapi_schema


def operations_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of an OpenAPI document."""
    for methods in document["paths"].values():
        for method, operation in methods.items():
            if method in _METHODS:
                yield operation


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
