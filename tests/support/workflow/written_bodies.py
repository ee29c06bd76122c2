"""Bodies of definitions by chance: those of the engine's model, with fields that it leaves out, in every form."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from tests.support.workflow.generated import cases

Draw = Callable[[st.SearchStrategy[Any]], Any]
Fields = dict[str, Any]

NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.sampled_from(["等待配件", " blanks ", "a\nb", "<&>\"'", "\x01", "￾", "end", "${x}", ""])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | NAMES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
_OBJECTS = st.dictionaries(NAMES, _VALUES, max_size=2)
_SECONDS = st.integers(1, 99)
_TIMES = st.sampled_from(["P3D", "PT10M", "2026-03-13T09:00:00+08:00", "${when}", " PT1H", 5, 0.5, "never"])
_CONDITIONS = st.sampled_from(["total > 2", " yes ", "'a' in kinds", "a <\n b", "not (a or b)", "1 / 0"])
_CODES = st.sampled_from(["*", "broken", ["broken"], ["lost", "broken"], []])
_WORD = st.sampled_from(["paid", "等待", "order.paid", " x", "a b", "${x}"])
_PRIORITY = st.sampled_from([1, "HIGH"])
_RETRIES = st.sampled_from([{"max_retries": 1}, [{"max_retries": 0, "on": ["lost"]}, {"max_retries": 2}]])

_OF_ANY: Mapping[str, st.SearchStrategy[Any]] = {
    "title": NAMES,
    "stage": NAMES,
    "lane": st.sampled_from(["front", "back", "", "客服", " x "]),
    "purpose": st.just("answer"),
    "priority": _PRIORITY,
    "parameters": _OBJECTS,
    "save": _OBJECTS,
    "retry": _RETRIES,
    "inline": st.booleans(),
    "not_before": st.just("later"),
    "timeout_seconds": _SECONDS,
    "start_seconds": _SECONDS,
    "concurrency": st.just({"limit": 2, "key": "${x}"}),
    "rate": st.just({"limit": 2, "seconds": 1.5}),
    "join": st.sampled_from(["all", "any", {"count": 2, "cancel": True}]),
    "mode": st.sampled_from(["exclusive", "inclusive", "parallel"]),
    "condition": _CONDITIONS,
    "for_each": st.fixed_dictionaries(
        {"in": st.sampled_from(["${items}", "${a.b}", "${f(x)}", [1, 2], [], "x"])},
        optional={
            "as": st.sampled_from(["item", "each", "end"]),
            "mode": st.sampled_from(["parallel", "sequential"]),
            "limit": st.integers(1, 9),
            "until": _CONDITIONS,
            "on_item_error": st.sampled_from(["fail", "collect"]),
            "collect": _VALUES,
        },
    ),
    "repeat": st.fixed_dictionaries({"while": _CONDITIONS, "max": st.integers(1, 9)}),
}
_OF_WHOLE: Mapping[str, st.SearchStrategy[Any]] = {
    "title": NAMES,
    "description": NAMES,
    "labels": st.dictionaries(NAMES, NAMES, max_size=2),
    "parameters": _OBJECTS,
    "output": _VALUES,
    "key": st.just("${order}"),
    "trigger": st.just("task.created"),
    "triggers": st.sampled_from(
        [
            ["order_created"],
            [{"message": "m"}, {"schedule": {"cron": "0 9 * * *"}}],
            [{"event": "e", "if": "x"}],
        ]
    ),
    "on_cancel": st.sampled_from(["stop", "compensate"]),
    "on_failure": st.sampled_from(["fail", "incident"]),
    "priority": _PRIORITY,
    "retry": _RETRIES,
    "timeout_seconds": _SECONDS,
    "concurrency": st.just({"limit": 1, "when_full": "skip"}),
    "rate": st.just({"limit": 1, "seconds": 1}),
    "version": st.sampled_from(["1", "1.0", "2a"]),
    "workflow": st.sampled_from(["model", "act1", "end", "_x-1", "工单", "flow_1"]),
}


@st.composite
def bodies(draw: Draw, largest: int = 10) -> Fields:
    """Definitions that pass the checks, and some that only have the right form."""
    body = json.loads(json.dumps(draw(cases(largest)).body))
    whole = {"workflow": "model", "version": "1.0", **body}
    if draw(st.booleans()):
        return whole
    whole |= _some(draw, _OF_WHOLE)
    _decorate(draw, whole["steps"])
    if draw(st.integers(0, 2)) == 0:
        whole["on"] = [_caught(draw, whole["steps"]) for _ in range(draw(st.integers(1, 2)))]
    return whole


def _some(draw: Draw, fields: Mapping[str, st.SearchStrategy[Any]]) -> Fields:
    names = draw(st.lists(st.sampled_from(list(fields)), max_size=3, unique=True))
    return {name: draw(fields[name]) for name in names}


def _target(draw: Draw, steps: list[Fields]) -> str:
    names = ["end", *(step["id"] for step in steps)]
    return str(draw(st.sampled_from([*names, "$origin", "nowhere"])))


def _targets(draw: Draw, steps: list[Fields]) -> Any:
    count = draw(st.integers(0, 3))
    targets = list(dict.fromkeys(_target(draw, steps) for _ in range(count or 1)))
    return targets if count else targets[0]


def _caught(draw: Draw, steps: list[Fields]) -> Fields:
    kind, values = draw(
        st.sampled_from(
            [
                ("message", _WORD), ("signal", _WORD), ("timer", _TIMES), ("condition", _CONDITIONS),
                ("error", _CODES), ("escalation", _CODES),
            ]
        )
    )  # fmt: skip
    entry: Fields = {kind: draw(values), "next": _targets(draw, steps)}
    if kind == "message" and draw(st.booleans()):
        entry["key"] = draw(st.sampled_from(["${order}", 7, None]))
    if kind != "error" and draw(st.booleans()):
        entry["interrupts"] = draw(st.booleans())
    return entry


def _ways(draw: Draw, steps: list[Fields]) -> list[Any]:
    part = st.sampled_from(["text", "if", "to"])
    found: list[Any] = []
    for kind in draw(st.lists(part, max_size=3)):
        to = _targets(draw, steps)
        found.append(
            _target(draw, steps)
            if kind == "text"
            else {"if": draw(_CONDITIONS), "to": to}
            if kind == "if"
            else {"to": to}
        )
    return found


def _decorate(draw: Draw, steps: list[Fields]) -> None:
    for number in range(draw(st.integers(0, 3))):
        steps.append(_of_type(draw, steps, f"more_{number}_{steps[0]['id']}"))
    for step in steps:
        if "steps" in step:
            _decorate(draw, step["steps"])
        what = draw(st.integers(0, 8))
        if what == 0:
            step.update(_some(draw, _OF_ANY))
        elif what == 1:
            step["on"] = [_caught(draw, steps) for _ in range(draw(st.integers(1, 2)))]
        elif what == 2:
            step["next"] = _ways(draw, steps)
        elif what == 3:
            step[draw(st.sampled_from(["on_error", "compensate"]))] = _target(draw, steps)
        elif what == 4:
            step[draw(st.sampled_from(["else", "needs"]))] = _targets(draw, steps)


def _of_type(draw: Draw, steps: list[Fields], name: str) -> Fields:
    kind = draw(st.sampled_from(list(_TYPES)))
    step: Fields = {"id": name, "type": kind, **_TYPES[kind](draw, steps)}
    for number, inner in enumerate(step.get("steps", ())):
        inner["id"] = f"{name}_{number}"
    if kind not in ("human", "end") and draw(st.booleans()):
        step["next"] = _targets(draw, steps)
    return step


def _waits(draw: Draw, steps: list[Fields]) -> Fields:
    how = draw(st.integers(0, 3))
    if how == 0:
        return {"seconds": draw(_SECONDS)}
    if how == 1:
        return {"until": draw(_TIMES)}
    return {"events": [_caught(draw, steps) for _ in range(draw(st.integers(1, 3)))]}


def _asks(draw: Draw, steps: list[Fields]) -> Fields:
    answers = draw(st.lists(NAMES, max_size=3, unique=True))
    others = _some(
        draw, {"assign": st.just({"role": "reviewer"}), "form": _OBJECTS, "quorum": st.just({"count": 2})}
    )
    return {"decisions": {answer: _target(draw, steps) for answer in answers}, **others}


def _emits(draw: Draw, _: list[Fields]) -> Fields:
    return {draw(st.sampled_from(["message", "signal", "event"])): draw(_WORD), "payload": draw(_VALUES)}


def _requests(draw: Draw, _: list[Fields]) -> Fields:
    headers = {"A": "${secret.B}"}
    return {"request": {"url": "https://a.example", "headers": headers, "body": draw(_VALUES)}}


def _calls(draw: Draw, _: list[Fields]) -> Fields:
    return {
        "workflow": draw(st.sampled_from(["other", "${name}", "a b", "x.y"])),
        "wait": draw(st.booleans()),
    }


def _holds(draw: Draw, _: list[Fields]) -> Fields:
    return {"steps": [{"id": "inner", "type": "set", "set": draw(_OBJECTS)}]}


_ENDS: tuple[Fields, ...] = ({}, {"error": "broken"}, {"escalation": "x"}, {"terminate": True})
_TYPES: Mapping[str, Callable[[Draw, list[Fields]], Fields]] = {
    "wait": _waits,
    "human": _asks,
    "pass": lambda *_: {},
    "action": lambda *_: {},
    "emit": _emits,
    "tool": lambda *_: {"tool": "general.report"},
    "http": _requests,
    "workflow": _calls,
    "compensate": lambda draw, steps: {"for": _targets(draw, steps)},
    "end": lambda draw, _: dict(draw(st.sampled_from(_ENDS))),
    "gateway": lambda draw, steps: {"next": _ways(draw, steps)},
    "scope": _holds,
}
