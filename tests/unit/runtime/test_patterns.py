"""Every pattern takes steps in proportion to its text, whatever the text: counted, not timed."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import reduce
from itertools import combinations_with_replacement
from operator import or_
from typing import Any, Final

import pytest

from runtime.mask import mask_json, mask_text
from tests.support.pattern_steps import fragments_of, steps_of
from tests.support.source import PACKAGES, place, python_files, tree_of
from tools.classifier.files import default_paths
from tools.classifier.rules import load_rules

_LENGTH: Final = 100
_STEPS_A_CHARACTER: Final = 600
"""What a pattern may cost for each character: bounded repetitions, tried anew at each start."""
_FULL_WIDTH: Final = str.maketrans("0123456789", "０１２３４５６７８９")
"""Digits that `\\d` takes and `[0-9]` does not."""
_MORE_OF_THE_LONGER: Final = 4000
"""Steps that the longer text may cost besides twice those of the shorter: a bound of up to 160 characters is not
reached in the shorter one."""
_COMPILED_FROM_CONFIGURATION: Final = {"tools/classifier/rules.py"}
"""Where a pattern is no constant; what is compiled there is read from the file itself below."""
_CALLS: Final = {"compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"}


def patterns_in(value: Any, name: str) -> Iterator[tuple[str, "re.Pattern[str]"]]:
    """Every pattern that a value holds, at any depth of tuples, lists, mappings and dataclasses."""
    match value:
        case re.Pattern() if isinstance(value.pattern, str):
            yield name, value
        case Mapping():
            for key, inner in value.items():
                yield from patterns_in(inner, f"{name}[{key!r}]")
        case list() | tuple() | set() | frozenset():
            for nth, inner in enumerate(value):
                yield from patterns_in(inner, f"{name}[{nth}]")
        case _ if is_dataclass(value) and not isinstance(value, type):
            for each in fields(value):
                yield from patterns_in(getattr(value, each.name, None), f"{name}.{each.name}")


def kept_patterns() -> Iterator[tuple[str, "re.Pattern[str]"]]:
    """Every pattern that a module of ours keeps, or that the rules of triage are compiled to."""
    for package in PACKAGES:
        root = importlib.import_module(package)
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            if found.name.endswith("__main__") or ".migrations" in found.name:
                continue
            for name, value in vars(importlib.import_module(found.name)).items():
                if not name.startswith("__"):
                    yield from patterns_in(value, f"{found.name}.{name}")
    yield from patterns_in(load_rules(default_paths().rules), "rules")


def calls() -> Iterator[tuple[str, ast.Call, bool]]:
    """Where `re` is given a pattern, how, and whether a module does it as it is read."""
    for path in python_files():
        if "re." in path.read_text(encoding="utf-8"):
            for call, as_read in calls_within(tree_of(path), as_read=True):
                yield place(path, call.lineno), call, as_read


def calls_within(node: ast.AST, *, as_read: bool) -> Iterator[tuple[ast.Call, bool]]:
    """The calls of `re` in a tree, each with whether a module makes it as it is read."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name), args=[_, *_]) if name in _CALLS:
            yield node, as_read
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            as_read = False
    for child in ast.iter_child_nodes(node):
        yield from calls_within(child, as_read=as_read)


def written_patterns() -> Iterator[tuple[str, "re.Pattern[str]"]]:
    """Every pattern that stands in a call, as in `re.sub(r"\\s", …)`."""
    for where, call, _ in calls():
        given = call.args[0]
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield where, re.compile(given.value, flags_of(call))


def flags_of(call: ast.Call) -> re.RegexFlag:
    """The flags that a call of `re` names: without them a verbose pattern would be another one."""
    named = (node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute))
    return reduce(or_, (re.RegexFlag[name] for name in named if name in re.RegexFlag.__members__), re.NOFLAG)


def once_each(found: Iterator[tuple[str, "re.Pattern[str]"]]) -> dict[str, "re.Pattern[str]"]:
    """By name; a pattern that has several names, under its first."""
    names: dict[re.Pattern[str], str] = {}
    for name, pattern in found:
        names.setdefault(pattern, name)
    return {name: pattern for pattern, name in names.items()}


PATTERNS: Final = once_each(iter([*kept_patterns(), *written_patterns()]))


def hostile_texts(pattern: "re.Pattern[str]", length: int) -> Iterator[str]:
    """Its own parts again and again, alone and in pairs, in digits of either width, with an end it does not take."""
    pairs = {one + other for one, other in combinations_with_replacement(fragments_of(pattern)[:4], 2)}
    for piece in sorted(pairs | {pair.translate(_FULL_WIDTH) for pair in pairs} | {"１"}):
        yield (piece * length)[:length] + "\x01"


def excess(pattern: "re.Pattern[str]") -> str | None:
    """The hostile text that costs more than its length allows, if there is one.

    Both must hold: so many steps a character at most, since what doubles with each character would reach the end of
    any count at both lengths; and twice the text no more than twice the steps.
    """
    for text in hostile_texts(pattern, 2 * _LENGTH):
        most = _STEPS_A_CHARACTER * len(text)
        steps = steps_of(pattern, text, most=most)
        if steps <= _MORE_OF_THE_LONGER:
            continue
        half = steps_of(pattern, text[:_LENGTH] + "\x01", most=most)
        if steps > most or steps > 2 * half + _MORE_OF_THE_LONGER:
            return text
    return None


@pytest.mark.parametrize("name", PATTERNS)
def test_twice_the_text_costs_no_more_than_twice_the_steps(name: str) -> None:
    found = excess(PATTERNS[name])
    assert found is None, (PATTERNS[name].pattern, found and found[:40])


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<=://)([^:/@\s]*):[^@\s]+@",
        r"^(?:a+)+$",
        r"(a|a)*b",
        r"(?:\d+\s?)+x",
        r"\s*a\s*\s*b",
        r"\d+-",
        r"x*y*x*z",
    ],
)
def test_a_pattern_that_grows_faster_than_its_text_is_found(pattern: str) -> None:
    assert excess(re.compile(pattern)) is not None


def test_every_pattern_is_a_constant_or_kept_by_a_module() -> None:
    unknown = [
        where
        for where, call, as_read in calls()
        if not isinstance(call.args[0], ast.Constant) and not as_read
        and where.partition(":")[0] not in _COMPILED_FROM_CONFIGURATION
    ]  # fmt: skip
    assert unknown == [], "compile it where the module is read, or use runtime.linear_pattern"


def test_patterns_are_found_wherever_they_are_kept() -> None:
    kept = {name.partition("[")[0].partition(".reason")[0] for name in PATTERNS}
    assert {"tools.classifier.context._OBSTACLES", "rules.rules", "rules.flags"} <= kept


def test_no_model_is_checked_by_a_matcher_that_goes_back() -> None:
    """What pydantic holds against `pattern=` is matched in linear time, unless a model asks for Python's `re`."""
    asking = [place(path) for path in python_files() if "python-re" in path.read_text(encoding="utf-8")]
    assert asking == []


@pytest.mark.parametrize("piece", ["://:", "://a:b", "bearer ", "1 3", "+8", "a@", "://", "0 1"])
def test_a_megabyte_of_anything_is_masked(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]
    assert mask_text(text)
    assert mask_json({text: [1] * 1000})


def test_passwords_of_addresses_are_hidden_wherever_they_stand() -> None:
    assert mask_text("redis://u:p:/w@h a://b://u:pw@h") == "redis://u:****@h a://b:****@h"
    assert mask_text("mail me@example.com http://h/p:x") == "mail me@example.com http://h/p:x"


@pytest.mark.parametrize("number", [13800138000, 13800138000.0])
def test_a_number_is_masked_whichever_kind_of_number_it_is(number: float) -> None:
    assert mask_json({"a": [number]}) == {"a": ["138****8000"]}


@pytest.mark.parametrize("number", [0.5, 1e300, float("inf"), 20260313.0, 3.25, -7.0])
def test_other_numbers_stay_as_they_are(number: float) -> None:
    assert mask_json({"a": number}) == {"a": number}


@pytest.mark.parametrize(
    "text", ["打65381234找我", "电话号65381234", "号码：65381234", "电话 6538 1234", "座机6538-1234。"]
)
def test_a_landline_without_its_area_is_masked(text: str) -> None:
    assert "653****1234" in mask_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "20260313",
        "订单SO65381234",
        "65381234.50",
        "￥65381234",
        "65381234元",
        "2026-03-13",
        "65381234567890",
        "1:65381234",
        "订单号65381234",
        "合同编号：65381234",
        "设备号 65381234",
        "工单65381234",
        "金额65381234",
    ],
)
def test_what_is_no_landline_stays_as_it_is(text: str) -> None:
    assert mask_text(text) == text
