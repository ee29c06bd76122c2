"""Every pattern takes steps in proportion to its text, whatever the text: counted, not timed."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import product
from types import ModuleType
from typing import Final

import pytest
from pydantic import BaseModel

from runtime.mask import mask_json, mask_text
from runtime.settings import PROJECT
from tests.support.pattern_steps import fragments_of, steps_of
from tools.classifier.rules import load_rules

_PACKAGES: Final = (
    "runtime",
    "schemas",
    "statemachine",
    "storage",
    "engine",
    "tools",
    "tasks",
    "api",
    "workers",
    "fleet",
)
_LENGTH: Final = 150
_STEPS_A_CHARACTER: Final = 500
"""What a pattern may cost for each character: bounded repetitions, tried anew at each start."""
_FULL_WIDTH: Final = str.maketrans("0123456789", "０１２３４５６７８９")
"""Digits that `\\d` takes and `[0-9]` does not."""


def patterns_in(value: object, name: str) -> Iterator[tuple[str, "re.Pattern[str]"]]:
    """The patterns that a value holds, at any depth: rules are tuples of dataclasses."""
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield name, value
    elif isinstance(value, Mapping):
        for nth, inner in enumerate([*value.keys(), *value.values()]):
            yield from patterns_in(inner, f"{name}.{nth}")
    elif isinstance(value, list | tuple | set | frozenset):
        for nth, inner in enumerate(value):
            yield from patterns_in(inner, f"{name}.{nth}")
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from patterns_in(getattr(value, each.name, None), f"{name}.{each.name}")


def compiled_patterns() -> Iterator[tuple[str, "re.Pattern[str]"]]:
    """Every pattern that a module of ours keeps, or that the configuration brings, once."""
    kept = {"config/triage/rules.yaml": load_rules(PROJECT / "config" / "triage" / "rules.yaml")} | {
        f"{module.__name__}.{name}": value for module in modules() for name, value in vars(module).items()
    }
    seen: set[tuple[str, int]] = set()
    for name, value in kept.items():
        for place, pattern in patterns_in(value, name):
            if (pattern.pattern, pattern.flags) not in seen:
                seen.add((pattern.pattern, pattern.flags))
                yield place, pattern


def modules() -> Iterator[ModuleType]:
    """Every module of ours."""
    for package in _PACKAGES:
        root = importlib.import_module(package)
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            if not found.name.endswith("__main__") and ".migrations" not in found.name:
                yield importlib.import_module(found.name)


PATTERNS: Final = dict(compiled_patterns())


def hostile_texts(pattern: "re.Pattern[str]", length: int) -> Iterator[str]:
    """Its own parts again and again, alone and in pairs, in digits of either width, with an end it does not take."""
    pieces = fragments_of(pattern)[:5]
    pairs = {one + other for one, other in product(pieces, pieces)}
    for piece in sorted(pairs | {pair.translate(_FULL_WIDTH) for pair in pairs} | {"１"}):
        yield (piece * length)[:length] + "\x01"


@pytest.mark.parametrize("name", PATTERNS)
def test_twice_the_text_costs_no_more_than_twice_the_steps(name: str) -> None:
    pattern = PATTERNS[name]
    for text in hostile_texts(pattern, 2 * _LENGTH):
        most = _STEPS_A_CHARACTER * len(text)
        half = steps_of(pattern, text[:_LENGTH] + "\x01", most=most)
        steps = steps_of(pattern, text, most=most)
        # What grows with the square of the text costs four times as much.
        # Where the bound is reached, the counter has stopped there.
        assert steps <= min(most, 3 * half + 20 * _STEPS_A_CHARACTER), (pattern.pattern, text[:40])


def test_patterns_within_rules_and_of_the_configuration_are_looked_at_too() -> None:
    assert any(name.startswith("tools.dates.mentions.month.RULES.") for name in PATTERNS)
    assert any(name.startswith("config/triage/rules.yaml.rules.") for name in PATTERNS)


def test_patterns_of_models_are_matched_by_an_engine_that_never_goes_back() -> None:
    models = {
        value
        for module in modules()
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseModel)
    }
    assert len(models) > 100
    assert {
        model for model in models if model.model_config.get("regex_engine", "rust-regex") != "rust-regex"
    } == set()


def test_the_counter_finds_a_pattern_that_grows_with_the_square() -> None:
    pattern = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]+@")
    text = "://:" * 100
    half, steps = (steps_of(pattern, part, most=10**7) for part in (text[: len(text) // 2], text))
    assert steps > 3.5 * half


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
