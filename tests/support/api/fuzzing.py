"""Schemathesis against a live server, as a library: what it asks, what it may not expect, what it finds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2

from api.server.description import operations_of
from tests.support.api.client import key_of

if TYPE_CHECKING:
    from schemathesis.core.failures import Failure
    from schemathesis.engine.recorder import ScenarioRecorder

PHASES = ("examples", "coverage", "fuzzing", "stateful")
SEED = 20260313


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A check that the specification contradicts at some operations, and why."""

    check: str
    operations: str
    """What their paths match."""
    reason: str


EXCEPTIONS: tuple[Contradiction, ...] = (
    Contradiction(
        "positive_data_acceptance",
        r"^/v1/(alerts|reviews|reviews/worklist|interrupts|tasks|agents/audit/logs|intake/rejected|webhooks/deliveries)$",
        "`cursor` is the place where a page ended: one that is made up is refused. POST /tasks also takes the "
        "parameters of any kind of work, each kind with a schema of its own, and an IANA time zone.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"^/v1/interrupts/\{interrupt_id\}/continue$",
        "What the payload holds is said by each question, in its `answer_schema`.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"^/v1/(events|tasks/\{task_id\}/events)$",
        "`after` is the id of an event as it was received: one that is made up is refused.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"/actions/execute$|/tasks/dispatch$|/decide$|/result/record$|/agents/audit/log$|/audit/log$|^/v1/messages$",
        "A moment lies in the years 2000 to 2199, which JSON Schema cannot say of a date-time; which action, "
        "intent and reason fit together is said in words.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"/audit/alert$|/triage/(classify|validate)$|^/v1/states/transition$|^/v1/agents/register$",
        "A free JSON object is bounded in size, depth and integers, which JSON Schema cannot say.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"/tasks/start$|/replay$|/agents/audit/report$",
        "A time zone is an IANA name, metadata are bounded, a report's days do not run backwards.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"/signals$|/contact/initiate$|/do-not-call(/find)?$|/privacy/erase$|/tools/\{name\}/call$|/webhooks/subscribers$",
        "A number must be callable, or the order's own; a tool's input is the body of its own route; an address "
        "is http(s); a cursor is what a page ended with.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"^/v1/(keys|orders|executions)$|^/v1/executions/[^/]+/(log|steps|variables)$",
        "A key ends in the future, its rate and its scopes are words of their own; a cursor is what a page ended with.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"^/v1/executions/[^/]+/(rerun|set|skip)$",
        "Which steps there are is said by the run's definition; a value is bounded in size, depth and integers.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"^/v1/capacity$|/slots$|^/v1/reports/daily/",
        "A day lies in the years 2000 to 2199, is named once, and none of a span too long.",
    ),
    Contradiction(
        "positive_data_acceptance",
        r"^/v1/workflows(/\{name\}/start)?$",
        "A definition is held against its grammar and what is registered; a run against what its workflow takes.",
    ),
    Contradiction(
        "negative_data_rejection",
        r"^/v1/workflows/(check|import)$",
        "What is wrong with a definition, or a file, is the answer, within a 200.",
    ),
    Contradiction(
        "negative_data_rejection",
        r"^/v1/tasks/batch$",
        "Each item of a batch has its own verdict within a 200, whatever is wrong with it (SPEC.md §5).",
    ),
    Contradiction(
        "allow_header_conformance",
        r"^/v1/(tasks/batch|agents/register|reviews/next|states/transition|workflows/(check|import)"
        r"|workflows/\{name\}/(start|migrations))$",
        "The path also names a task, an agent, a review or a workflow (`/tasks/{task_id}`, …), which takes GET.",
    ),
    Contradiction(
        "unsupported_method",
        r"^/v1/workflows/\{name\}/(start|migrations)$",
        "The path also names a version (`/workflows/{name}/{version}`), which takes GET and begins with a digit.",
    ),
)
"""Everything that Schemathesis expects and the specification does not."""


@dataclass(slots=True)
class Findings:
    """What a run came to."""

    asked: Counter[str] = field(default_factory=Counter)
    """Requests by operation; those of the stateful phase under their own operations too."""
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """Each in words: the operation, the check, the request and the answer."""
    errors: list[str] = field(default_factory=list)


def look(address: str, phases: Sequence[str], *, examples: int) -> Findings:
    """Ask everything that the description of the API at this address allows, and much that it does not.

    Args:
        address: Of the API, with its version.
        phases: Of `PHASES`.
        examples: How many random requests an operation gets; in the stateful phase, how many walks there are.
    """
    # Not at the top: every worker of the tests reads this module, and one uses it.
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    headers = {"Authorization": f"Bearer {key_of('admin')}"}
    with httpx2.Client(base_url=address, trust_env=False, timeout=180.0) as client:
        document = client.get("/openapi.json").json()
    for operation in operations_of(document):
        # Its example would name the first request of all, and every later one would be a conflict with it.
        operation["parameters"] = [
            parameter
            for parameter in operation.get("parameters", ())
            if parameter["name"] != "Idempotency-Key"
        ]
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "base-url": address.removesuffix("/v1"),
            "headers": headers,
            "continue-on-failure": True,
            "request-timeout": 60,
            "phases": {
                **{phase: {"enabled": phase in phases} for phase in PHASES},
                # One of those that change something and one that nobody has: all are refused in one place.
                "coverage": {"enabled": "coverage" in phases, "unexpected-methods": ["DELETE", "TRACE"]},
            },
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "database": "none",
                "no-shrink": True,
                # No text that PostgreSQL keeps holds a NUL: `test_garbage.py` sends it to every field.
                "allow-x00": False,
                # Every request has the key; what comes without one, or with another, is the check `ignored_auth`.
                "with-security-parameters": False,
            },
            "operations": [
                # A stream of events does not end: the same events are asked for as pages.
                {"include-path-regex": "/events$", "parameters": {"query.format": "json"}},
                *(
                    {
                        "include-path-regex": exception.operations,
                        "checks": {exception.check: {"enabled": False}},
                    }
                    for exception in EXCEPTIONS
                ),
            ],
        }
    )
    findings = Findings()
    for event in from_schema(schemathesis.openapi.from_dict(document, config=config)).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(findings, event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            findings.errors.append(str(event))
    return findings


def _note(findings: Findings, recorder: "ScenarioRecorder") -> None:
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is not None:
            findings.asked[recorder.cases[case_id].value.operation.label] += 1
            findings.statuses[interaction.response.status_code] += 1
    for case_id, check, failure in _failed(recorder):
        interaction = recorder.interactions[case_id]
        request, response = interaction.request, interaction.response
        findings.failures.append(
            f"{recorder.cases[case_id].value.operation.label}: {check}: {failure.message}\n"
            f"  {request.method} {request.uri} {_short(request.body)!r}\n"
            f"  {response.status_code if response else 'no answer'} {_short(response and response.content)!r}"
        )


def _failed(recorder: "ScenarioRecorder") -> "Iterator[tuple[str, str, Failure]]":
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                yield case_id, check.name, check.failure_info.failure


def _short(body: Any) -> bytes:
    return bytes(body or b"")[:600]
