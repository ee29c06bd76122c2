"""What names and paths stand for. Where it is unknown it is null; a strict expression ends in a fault instead."""

from collections.abc import Callable, Mapping
from typing import Final

from statemachine.workflow.expression.calculation import Calculation, Position, kind, nearest

_LONGEST_SHOWN: Final = 64

Take = Callable[[object, Calculation], object]
"""Takes one value out of another."""


def named(name: str, at: Position, *, strict: bool) -> Callable[[Calculation], object]:
    """The value of a name of the scope."""
    if not strict:
        return lambda calculation: calculation.scope.get(name)

    def known(calculation: Calculation) -> object:
        if name not in calculation.scope:
            raise at.fault(f"there is no '{name}'{nearest(name, calculation.scope)}")
        return calculation.scope[name]

    return known


def bound(slot: int) -> Callable[[Calculation], object]:
    """The value of a name that a comprehension binds."""
    return lambda calculation: calculation.bound[slot]


def along(base: Callable[[Calculation], object], takes: list[Take]) -> Callable[[Calculation], object]:
    """The value at the end of a path."""
    if not takes:
        return base
    if len(takes) == 1:
        take = takes[0]
        return lambda calculation: take(base(calculation), calculation)

    def walked(calculation: Calculation) -> object:
        value = base(calculation)
        for take in takes:
            value = take(value, calculation)
        return value

    return walked


def keyed(key: str, at: Position, *, strict: bool) -> Take:
    """The step `.key`."""
    if strict:

        def known(holder: object, _: Calculation) -> object:
            if isinstance(holder, dict) and key in holder:
                return holder[key]
            return _known(holder, key, at)

        return known
    return lambda holder, _: holder.get(key) if isinstance(holder, (dict, Mapping)) else None


def indexed(index: Callable[[Calculation], object], at: Position, *, strict: bool) -> Take:
    """The step `[index]`: of a list by number, from the end where it is negative; of an object by key."""

    def take(holder: object, calculation: Calculation) -> object:
        key = index(calculation)
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


def _element(values: list[object] | tuple[object, ...], index: object, at: Position) -> object:
    if not isinstance(index, int) or isinstance(index, bool):
        raise at.fault(f"the index of a list is an integer, this is {kind(index)}")
    if not -len(values) <= index < len(values):
        raise at.fault(f"the list has {len(values):,} elements, and none at this index")
    return values[index]


def _known(holder: object, key: str, at: Position) -> object:
    shown = key if len(key) <= _LONGEST_SHOWN else f"{key[:_LONGEST_SHOWN]}…"
    if not isinstance(holder, Mapping):
        raise at.fault(f"{kind(holder)} has no '{shown}'")
    if key not in holder:
        raise at.fault(f"there is no '{shown}'{nearest(key, holder)}")
    return holder[key]
