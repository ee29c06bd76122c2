"""A definition as it is sent over HTTP, JSON or YAML, and what is answered to one that cannot be kept."""

from collections.abc import Sequence
from email.message import Message
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from api.server.refusal import Refusal
from schemas.core.definition.text import DefinitionProblem
from schemas.core.error import Code
from schemas.flows.workflows import DefinitionProblemView
from tasks.flows.definitions.sent_text import SentText

MOST_PROBLEMS: Final = 1000
"""Problems that one answer lists."""

_EXAMPLE: Final = {
    "workflow": "nightly_report",
    "version": "1.0",
    "steps": [{"id": "report", "agent": "audit", "action": "generate_report"}],
}
DEFINITION_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object", "example": _EXAMPLE}},
            "application/yaml": {"schema": {"type": "object", "example": _EXAMPLE}},
        },
    }
}
_YAML: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})


async def sent_text(request: Request) -> SentText:
    """The body, when it is JSON or YAML.

    Raises:
        Refusal: it is something else (415).
    """
    header = Message()
    header["content-type"] = request.headers.get("content-type", "application/octet-stream")
    kind = header.get_content_type()
    if kind not in _YAML and not (kind == "application/json" or kind.endswith("+json")):
        raise Refusal(
            Code.UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json, or application/yaml for YAML"
        )
    return SentText(await request.body(), kind in _YAML)


Sent = Annotated[SentText, Depends(sent_text)]


def refusal_of(problems: Sequence[DefinitionProblem]) -> Refusal:
    """The answer to a definition that has these problems."""
    return Refusal(
        Code.VALIDATION_FAILED,
        f"the definition cannot be kept: {len(problems)} problems, see details.fields",
        details={
            "fields": [
                {
                    "field": ".".join(str(part) for part in problem.at) or "body",
                    **view_of(problem).model_dump(),
                }
                for problem in problems[:MOST_PROBLEMS]
            ]
        },
    )


def view_of(problem: DefinitionProblem) -> DefinitionProblemView:
    """A problem as it is answered."""
    return DefinitionProblemView(
        pointer=problem.pointer, message=problem.message, line=problem.line, column=problem.column
    )
