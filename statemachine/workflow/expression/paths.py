"""What names and paths stand for. Where it is unknown it is null; a strict expression ends in a fault instead."""

from collections.abc import Callable, Mapping
from typing import Final

from statemachine.workflow.expression.evaluation import Evaluation, Place, kind, nearest

_LONGEST_SHOWN: Final = 64

Take = Callable[[object, Evaluation], object]
"""Takes one value out of another."""


def named(name: str, at: Place, *, strict: bool) -> Callable[[Evaluation], object]:
    """The value of a name of the scope."""
    if not strict:
        return lambda evaluation: evaluation.scope.get(name)

    def known(evaluation: Evaluation) -> object:
        if name not in evaluation.scope:
            raise at.fault(f"there is no '{name}'{nearest(name, evaluation.scope)}")
        return evaluation.scope[name]

    return known


def bound(slot: int) -> Callable[[Evaluation], object]:
    """The value of a name that a comprehension binds."""
    return lambda evaluation: evaluation.bound[slot]


def along(base: Callable[[Evaluation], object], takes: list[Take]) -> Callable[[Evaluation], object]:
    """The value at the end of a path."""
    if not takes:
        return base
    if len(takes) == 1:
        take = takes[0]
        return lambda evaluation: take(base(evaluation), evaluation)

    def walked(evaluation: Evaluation) -> object:
        value = base(evaluation)
        for take in takes:
            value = take(value, evaluation)
        return value

    return walked


def keyed(key: str, at: Place, *, strict: bool) -> Take:
    """The step `.key`."""
    if strict:

        def known(holder: object, _: Evaluation) -> object:
            if isinstance(holder, dict) and key in holder:
                return holder[key]
            return _known(holder, key, at)

        return known
    return lambda holder, _: holder.get(key) if isinstance(holder, (dict, Mapping)) else None


def indexed(index: Callable[[Evaluation], object], at: Place, *, strict: bool) -> Take:
    """The step `[index]`: of a list by number, from the end where it is negative; of an object by key."""

    def take(holder: object, evaluation: Evaluation) -> object:
        key = index(evaluation)
        if not strict and (holder is None or key is None):
            return None
        if isinstance(holder, (list, tuple)):
            return _element(holder, key, at)
        if not isinstance(key, str):
            raise at.fault(f"{kind(holder)} has no element by {kind(key)}")
        if strict or not isinstance(holder, Mapping):
            return _known(holder, key, at)
        return holder.get(key)

    return take


def _element(values: list[object] | tuple[object, ...], index: object, at: Place) -> object:
    if not isinstance(index, int) or isinstance(index, bool):
        raise at.fault(f"the index of a list is an integer, this is {kind(index)}")
    if not -len(values) <= index < len(values):
        raise at.fault(f"the list has {len(values):,} elements, and none at this index")
    return values[index]


def _known(holder: object, key: str, at: Place) -> object:
    shown = key if len(key) <= _LONGEST_SHOWN else f"{key[:_LONGEST_SHOWN]}…"
    if not isinstance(holder, Mapping):
        raise at.fault(f"{kind(holder)} has no '{shown}'")
    if key not in holder:
        raise at.fault(f"there is no '{shown}'{nearest(key, holder)}")
    return holder[key]
