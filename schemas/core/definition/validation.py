"""Holds what was written against the forms of a definition; what fits is read, even where the rest does not."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from schemas.core.definition.body import (
    DefinitionBody,
    OpenPointBody,
    RunEndedBody,
    ScheduleBody,
    TriggerBody,
    WebhookBody,
)
from schemas.core.definition.option_bodies import (
    AssignBody,
    BranchBody,
    CatchBody,
    ChoiceBody,
    ConcurrencyBody,
    EscalationBody,
    ForEachBody,
    JoinBody,
    QuorumBody,
    RateBody,
    RepeatBody,
    RequestBody,
    RetryBody,
)
from schemas.core.definition.part import Part
from schemas.core.definition.step_body import StepBody
from statemachine.workflow.checks.definition_fault import MOST_FAULTS, DefinitionFault
from statemachine.workflow.checks.unread import NOTHING_UNREAD, Unread
from statemachine.workflow.expression.calculation import nearest

Place = tuple[str | int, ...]

PARTS: Final[Mapping[str, type[Part]]] = MappingProxyType(
    {
        "steps": StepBody,
        "triggers": TriggerBody,
        "schedule": ScheduleBody,
        "webhook": WebhookBody,
        "run_ended": RunEndedBody,
        "agent": ChoiceBody,
        "assign": AssignBody,
        "concurrency": ConcurrencyBody,
        "escalate": EscalationBody,
        "events": CatchBody,
        "for_each": ForEachBody,
        "join": JoinBody,
        "next": BranchBody,
        "on": CatchBody,
        "open_points": OpenPointBody,
        "quorum": QuorumBody,
        "rate": RateBody,
        "repeat": RepeatBody,
        "request": RequestBody,
        "retry": RetryBody,
    }
)
"""What the fields hold that have fields of their own."""

_STEPS: Final = "steps"
_STAND_INS: Final[Mapping[str, str]] = MappingProxyType({"workflow": "unread", "version": "0"})
"""For what every definition has, where its own cannot be read."""
_QUOTED: Final = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class FittingBody:
    """What could be read of a definition, and what is wrong with the rest of it."""

    body: DefinitionBody | None
    """None: nothing."""
    faults: tuple[DefinitionFault, ...] = ()
    unread: Unread = NOTHING_UNREAD


def validated(written: Mapping[str, Any]) -> FittingBody:
    """Read what fits; each fault of the rest has its place in what was written."""
    try:
        return FittingBody(DefinitionBody.model_validate(written))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    found = list(_wrong_fields(errors, written))
    # The words cost far more than the places.
    faults = tuple(_fault(*each) for each in found[:MOST_FAULTS])
    cut, unread = _cut([place for _, place, _ in found], written)
    try:
        body = DefinitionBody.model_validate({**_STAND_INS, **_without(written, cut)})
    except ValidationError:
        return FittingBody(None, faults)
    return FittingBody(body, faults, unread)


def names_of_fields(part: type[Part]) -> list[str]:
    """The fields of a part as they are written."""
    return [field.alias or name for name, field in part.model_fields.items()]


def _wrong_fields(
    errors: Sequence[Any], body: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Place, Any]]:
    """What is wrong with single fields, each with its place in what was written, and what stands there."""
    for error in errors:
        at = error["loc"]
        if error["type"] == "too_short" and any(
            other["loc"][: len(at)] == at for other in errors if other != error
        ):
            continue  # It has items, and what is wrong with them is told.
        place, value = _found(at, body)
        if error["type"] in ("missing", "extra_forbidden") and place[-1:] != at[-1:]:
            place = (*place, at[-1])
        yield error, place, value


def _fault(error: Mapping[str, Any], place: Place, value: Any) -> DefinitionFault:
    where = ".".join(str(part) for part in place)
    return DefinitionFault(f"{where}: {_said(error, place, value)}", at=place)


def _said(error: Mapping[str, Any], place: Place, value: Any) -> str:
    """What is wrong, with the nearest name where one is unknown."""
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            holder = next(
                (PARTS[str(part)] for part in reversed(place[:-1]) if part in PARTS), DefinitionBody
            )
            return f"there is no such field{nearest(str(place[-1]), names_of_fields(holder))}"
        case "literal_error" | "enum" if isinstance(value, str):
            expected = error["ctx"]["expected"]
            return f"'{value:.80}' is none of {expected}{nearest(value, _QUOTED.findall(expected))}"
        case _:
            return str(error["msg"])


def _found(at: Sequence[Any], body: Any) -> tuple[Place, Any]:
    """Where a place of a form lies in what was written, and what stands there; names of forms are left out."""
    place: list[str | int] = []
    for part in at:
        is_there = (
            part in body if isinstance(body, dict) else isinstance(body, list) and isinstance(part, int)
        )
        if is_there:
            body = body[part]
            place.append(part)
    return tuple(place), body


def _cut(places: Sequence[Place], written: Mapping[str, Any]) -> tuple[frozenset[Place], Unread]:
    """What is to be left out so that the rest fits: fields, or steps of which nothing is left without an id."""
    cut: set[Place] = set()
    fields: dict[str, set[str]] = {}
    names: set[str] = set()
    unnamed = False
    for place in places:
        length = _length_of_step(place)
        step, rest = _found(place[:length], written)[1], place[length : length + 1]
        name = step.get("id") if isinstance(step, dict) else None
        if length and (not rest or rest == ("id",) or not isinstance(name, str)):
            cut.add(place[:length])
            inside = set(_ids(step))
            names |= inside
            unnamed |= not isinstance(name, str)
        else:
            cut.add(place[: length + 1])
            if length:
                fields.setdefault(str(name), set()).update(map(str, rest))
                names |= set(_ids({_STEPS: step.get(_STEPS)})) if rest == (_STEPS,) else set()
    return frozenset(cut), Unread(
        {name: frozenset(left) for name, left in fields.items()},
        frozenset(names),
        unnamed,
        frozenset(str(place[0]) for place in cut if len(place) == 1),
    )


def _length_of_step(place: Place) -> int:
    """How many parts of a place lead to the step in which it lies; 0: it lies in none."""
    length = 0
    while place[length : length + 1] == (_STEPS,) and len(place) > length + 1:
        length += 2
    return length


def _ids(step: Any) -> Iterator[str]:
    """The ids of a step and of those in it, as far as they are texts."""
    if not isinstance(step, dict):
        return
    if isinstance(step.get("id"), str):
        yield step["id"]
    inner = step.get(_STEPS)
    for each in inner if isinstance(inner, list) else ():
        yield from _ids(each)


def _without(written: Mapping[str, Any], cut: Collection[Place], at: Place = ()) -> dict[str, Any]:
    """What was written, without these parts."""
    rest: dict[str, Any] = {}
    for name, value in written.items():
        if (*at, name) in cut:
            continue
        if name == _STEPS and isinstance(value, list):
            places = [(step, (*at, name, index)) for index, step in enumerate(value)]
            rest[name] = [_without(step, cut, place) for step, place in places if place not in cut]
        else:
            rest[name] = value
    return rest
