"""A definition as it is sent: JSON or YAML, read and examined, with everything that is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from api.server.parts import Parts
from api.server.refusal import Refusal
from engine.definitions.triggers import faults_beside
from schemas.core.definition.reader import place_of
from schemas.core.definition.text import (
    DefinitionProblem,
    UnreadableDefinition,
    WrittenDefinition,
    read_json,
    read_yaml,
)
from schemas.core.error import Code
from schemas.flows.workflows import DefinitionProblemView

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


@dataclass(frozen=True, slots=True)
class SentText:
    """A definition as it was sent."""

    body: bytes
    is_yaml: bool

    def read(self) -> WrittenDefinition:
        """The definition.

        Raises:
            UnreadableDefinition: it is no object that can be kept.
        """
        if not self.is_yaml:
            return read_json(self.body)
        try:
            return read_yaml(self.body.decode())
        except UnicodeDecodeError as error:
            raise UnreadableDefinition(DefinitionProblem(at=(), message="is not UTF-8")) from error


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


def examined(
    sent: SentText, parts: Parts, *, active: bool
) -> tuple[WrittenDefinition, Sequence[DefinitionProblem]]:
    """A definition, and everything that is wrong with it.

    A draft need not have the steps that its product needs, nor the workflows that it names.
    """
    try:
        written = sent.read()
    except UnreadableDefinition as error:
        return WrittenDefinition({}), error.problems
    read = parts.engine.definition_rules.examine(written.body, purposes=active)
    faults = [*read.faults]
    if active and read.workflow is not None:
        # A draft may name what is added after it.
        with parts.database.transaction() as work:
            faults += faults_beside(work, read.workflow, ())
    problems = [written.problem(fault.message, place_of(fault, written.body)) for fault in faults]
    # From top to bottom, as it is read.
    return written, sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


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
