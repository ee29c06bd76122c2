#!/usr/bin/env python3
"""The page of the API, drawn from its own description and from the table of routes by state."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import yaml

from api.app import create_app
from api.orders.services import OrdersParts
from api.outbound.event_socket import Close

TABLE: Final = Path(__file__).resolve().parent / "routes_by_state.yaml"
MODES: Final = ("auto", "manual")

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_COMMON: Final = frozenset({"400", "401", "403", "422", "429", "500", "503"})
_OPENING: Final = """\
# The HTTP API

Written by `python docs/generate.py` from the API's own description (`GET /v1/openapi.json`) and from
`docs/routes_by_state.yaml`; tests fail when they differ from what the code does.

**Address.** Everything lies below `http://HOST:PORT/v1`. Bodies are JSON in UTF-8. Moments are ISO 8601: in requests
with an offset, in answers in UTC with `Z`. A field that a request does not know is refused by name. What takes GET
takes HEAD, which answers the same without the body.

**Keys.** `Authorization: Bearer KEY`. Each agent has a key of its own, with scopes; the scope beside a route is the
one it needs. `X-Agent-ID` is optional and must then be the key's agent. `unpend keys` makes and revokes keys.

**Requests have ids.** `X-Request-ID` (1 to 64 of `A-Za-z0-9._-`) is the caller's, or made; every answer carries it.

**Errors** all have one form:

```json
{"success": false, "error": {"code": "…", "message": "…", "details": {}}, "request_id": "…", "timestamp": "…"}
```

| status | code | when |
|---|---|---|
| 400 | `BAD_REQUEST` | the body is not JSON in UTF-8 |
| 401 | `UNAUTHORIZED` | no key, or one that nobody has |
| 403 | `FORBIDDEN` | the key lacks the scope, or the agent the permission |
| 404 | `NOT_FOUND` | no such route, task, review, … |
| 405 | `METHOD_NOT_ALLOWED` | the path takes other methods: `Allow` |
| 409 | `STATE_CONFLICT` | `details`: where the order is, and its ways out |
| 413 | `PAYLOAD_TOO_LARGE` | more than 1 MiB, a batch of tasks 4; or more than 50,000 fields |
| 415 | `UNSUPPORTED_MEDIA_TYPE` | the body is not `application/json` |
| 416 | `RANGE_NOT_SATISFIABLE` | the range begins behind the end of what there is |
| 422 | `VALIDATION_FAILED` | `details.fields`: which, and what is wrong with each |
| 429 | `RATE_LIMITED` | `Retry-After` |
| 500 | `INTERNAL_ERROR` | a fault of ours; the request's id leads to the log |
| 503 | `SERVICE_UNAVAILABLE` | a server this needs does not answer, or too much general work waits: `Retry-After` |

**The life of a task** (seed 003). `status` is the lifecycle of general work and of orders alike:

| status | when | then |
|---|---|---|
| `created` | accepted, which means committed; nothing of it has begun | `running`, `cancelled`, `failed` |
| `running` | a step of it has begun | `paused`, `completed`, `failed`, `cancelled` |
| `paused` | somebody paused it; times that were set stay | `running`, `cancelled`, `failed` |
| `completed` | its last step has ended; `result` is what that returned | |
| `failed` | a step failed for good, or its time is up (`error.code` is `timed_out`) | `running`, by `retry` |
| `cancelled` | somebody cancelled it; `error.message` is the reason | |

A poll of a task whose execution failed is answered 200 with `status: failed` and `error` (`code`, `message`, `step`):
asking went well. The seed has 500 there; here 500 is a fault of the API itself. However a task ends, its open steps are
cancelled, its questions to people withdrawn, its leases given back, and a result that comes later is not recorded. What
has ended is removed after `general_tasks` days of `config/policies/retention.yaml`. New general work is answered 503
while `UNPEND_MOST_WAITING` of its steps wait in a queue; what is known under its `task_id` is answered all the same.

**Sending again.** A write takes `Idempotency-Key`: the same request under the same key is answered as before, with
`Idempotent-Replayed: true`. Routes that know a repetition by an id of their own (`task_id`, `signal_id`) need none.

**Pages.** Lists take `limit` and `cursor`; `next_cursor` of a page is the `cursor` of the next, null on the last.

**Waiting.** Routes that have a tool called wait for it as long as the tool may take. `Prefer: respond-async` answers
202 at once, and so does a tool that takes longer: ask at `poll`, or send the call again.
"""
_SOCKET: Final = """\
## Events over a WebSocket

`WS /v1/ws/executions/{execution_id}`, also without `/v1` · scope `read`

The events of one execution, from its beginning until it has ended, each a text message: what a page of events holds,
with the `id` to go on from. OpenAPI knows no WebSockets, so this is not in the description.

The key comes with the handshake and is looked at before the socket is accepted: in the `Authorization` header, or from
a browser, which cannot set one, as a subprotocol: `new WebSocket(url, ["unpend", "key." + key])`. A key never stands in
the address. Who is refused gets the HTTP answer of every refusal (401, 403, 404, 429, 503). Nothing is compressed; a
message may have 1,024 characters; one key may hold 40 of a process's 200 seats, streams of events included. `after`
goes on behind the last event seen, and may come at any time; `authorization` beside it puts another key in place of the
first:

```json
{"after": "90210-4711"}
```

The server closes with a code, and says why:

| code | when |
|---|---|
"""
_CLOSES: Final[Mapping[Close, str]] = {
    Close.COMPLETE: "the execution has ended, and everything was told",
    Close.STOPPING: "the server stops: connect again, with `after`",
    Close.TRY_AGAIN: "too many listen, this client takes too little, or a server this needs is away: try again later",
    Close.UNREADABLE: "a message is not the JSON above",
    Close.UNAUTHORIZED: "the key that renews is nobody's, or the key was revoked meanwhile",
    Close.FORBIDDEN: "the key lacks the scope, or `X-Agent-ID` is not its agent",
    Close.NOT_FOUND: "there is no such execution",
    Close.UNKNOWN_PLACE: "`after` is no id that was given out",
    Close.RATE_LIMITED: "too many unknown keys came from this address",
}
_TABLE_OPENING: Final = """\
## Route by state

What a call about an order answers, by where the order stands; a test makes every cell. In `auto` the fleet drives the
order, and a call for a step that is under way waits for it: 202 here, since these ask with `Prefer: respond-async`.
In `manual` the caller drives it. A dash: there is nothing that the call could name. What was refused changed nothing.
"""


@cache
def document() -> dict[str, Any]:
    """The API's description; nothing is connected for it."""
    # A description needs none of the parts behind the door.
    return create_app(cast("OrdersParts", None), version="any").openapi()


def table() -> dict[str, Any]:
    """The table of routes by state, as it is written."""
    loaded: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return loaded


def answers_of(cells: Mapping[str, Any], situations: Sequence[str]) -> dict[str, str]:
    """The answer in every situation: `default` where a row does not name it."""
    unknown = cells.keys() - {*situations, "default"}
    if unknown:
        raise ValueError(f"no such situations: {', '.join(sorted(unknown))}")
    return {situation: str(cells.get(situation, cells["default"])) for situation in situations}


@cache
def page() -> str:
    """The page as it is committed."""
    described = document()
    sections = [_OPENING]
    said = {tag["name"]: tag["description"] for tag in described["tags"]}
    for tag, operations in _by_tag(described).items():
        sections.append(f"## {tag}\n\n{said[tag]}\n")
        sections += [_operation(described, *operation) for operation in operations]
    sections.append(_SOCKET + "\n".join(f"| {close.value} | {_CLOSES[close]} |" for close in Close) + "\n")
    sections += [_TABLE_OPENING, *_tables(table())]
    return "\n".join(sections)


@cache
def reference() -> str:
    """The same as JSON, as the console draws it."""
    described = document()
    said = {tag["name"]: tag["description"] for tag in described["tags"]}
    groups = [
        {
            "name": tag,
            "text": said[tag],
            "operations": [_told(described, *operation) for operation in operations],
        }
        for tag, operations in _by_tag(described).items()
    ]
    return json.dumps(groups, ensure_ascii=False, indent=1) + "\n"


def _told(
    described: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "title": operation["summary"],
        "text": operation.get("description", "").strip(),
        "scope": next(iter(_scopes(operation)), None),
        "parameters": [
            {
                "name": each["name"],
                "in": each["in"],
                "required": bool(each.get("required")),
                "text": each.get("description", ""),
            }
            for each in operation.get("parameters", ())
        ],
        "requests": [
            _shown(example)
            for content in operation.get("requestBody", {}).get("content", {}).values()
            for example in _examples(described, content)
        ],
        "answers": [
            {
                "status": status,
                "text": answer["description"],
                "examples": [
                    _shown(example)
                    for kind, content in answer.get("content", {}).items()
                    if status < "300" and kind == "application/json"
                    for example in _examples(described, content)
                ],
            }
            for status, answer in operation["responses"].items()
        ],
    }


def _shown(example: Any) -> str:
    return json.dumps(example, ensure_ascii=False, indent=2)


def _by_tag(described: Mapping[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """The operations of each tag; those that need no key come last, as their tags do."""
    operations = [
        (method, path, methods[method])
        for path, methods in described["paths"].items()
        for method in _METHODS
        if method in methods
    ]
    tags: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for method, path, operation in sorted(operations, key=lambda one: not _scopes(one[2])):
        tags.setdefault(operation.get("tags", ["other"])[0], []).append((method, path, operation))
    return tags


def _scopes(operation: Mapping[str, Any]) -> list[str]:
    return [scope for security in operation.get("security", ()) for scope in security["key"]]


def _operation(described: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> str:
    scopes = _scopes(operation)
    needs = f"scope `{scopes[0]}`" if scopes else "no key"
    parts = [f"### {operation['summary']}\n", f"`{method.upper()} {path}` · {needs}\n"]
    if operation.get("description"):
        parts.append(f"{operation['description'].strip()}\n")
    parameters = [_parameter(each) for each in operation.get("parameters", ())]
    if parameters:
        parts.append("\n".join(parameters) + "\n")
    for content in operation.get("requestBody", {}).get("content", {}).values():
        parts += [_block("Request", example) for example in _examples(described, content)]
    for status, response in operation["responses"].items():
        if status < "300":
            for kind, content in response.get("content", {}).items():
                if kind == "application/json":
                    parts += [_block(f"Answer {status}", each) for each in _examples(described, content)]
    errors = sorted(s for s in operation["responses"] if s >= "300" and s not in _COMMON | {"413", "415"})
    if errors:
        parts.append(f"Also: {', '.join(errors)}.\n")
    return "\n".join(parts)


def _parameter(parameter: Mapping[str, Any]) -> str:
    optional = "" if parameter.get("required") else ", optional"
    return f"- `{parameter['name']}` ({parameter['in']}{optional}): {parameter.get('description', '')}"


def _block(title: str, example: Any) -> str:
    return f"{title}:\n\n```json\n{json.dumps(example, ensure_ascii=False, indent=2)}\n```\n"


def _examples(described: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[Any]:
    """The examples of a body: its own, or those of each form it may have."""
    if "example" in content:
        yield content["example"]
        return
    yield from _of_schema(described, content.get("schema", {}))


def _of_schema(described: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Any]:
    while "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "example" in schema:
        yield schema["example"]
    elif "examples" in schema:
        yield from schema["examples"]
    else:
        for form in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
            yield from _of_schema(described, form)


def _tables(written: Mapping[str, Any]) -> Iterator[str]:
    situations = list(written["situations"])
    yield "\n".join(f"- **{name}**: {said}" for name, said in written["situations"].items()) + "\n"
    yield "\n".join(f"- *{name}*: “{said}”" for name, said in written["reasons"].items()) + "\n"
    for mode in MODES:
        yield f"### Orders in `{mode}`\n"
        rows = [f"| call | {' | '.join(situations)} |", f"|---|{'---|' * len(situations)}"]
        for name, call in written["calls"].items():
            cells = answers_of(call[mode], situations)
            shown = " | ".join("–" if cells[each] == "none" else cells[each] for each in situations)
            rows.append(f"| {name}<br>`{call['route']}` | {shown} |")
        yield "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(page())  # noqa: T201 - what a page is for, when it is asked for by hand
