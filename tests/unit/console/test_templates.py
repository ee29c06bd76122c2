"""Templates use what their views have, words are the same in both languages, scripts stay small (CONSOLE.md §2)."""

import importlib
import pkgutil
import re
import string
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from jinja2 import nodes

import console
from console.app import FOLDER
from console.server.navigation import MENU
from console.server.rendering import TEMPLATES, environment
from console.server.words import UnknownWording, words_of
from runtime.settings import PROJECT
from schemas.core.language import Language

LARGEST_SCRIPTS = 40_000
CHINESE, ENGLISH = words_of(Language.CHINESE), words_of(Language.ENGLISH)
DRAWN = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))


def views() -> dict[str, Any]:
    """Every view, by its template."""
    found: dict[str, Any] = {}
    for module in pkgutil.walk_packages(console.__path__, "console."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and is_dataclass(value) and hasattr(value, "template"):
                found[value.template] = value
    return found


VIEWS = views()


def parsed(template: str) -> nodes.Template:
    return environment().parse((TEMPLATES / template).read_text(encoding="utf-8"))


def included(template: str) -> Iterator[str]:
    """The templates that are put into this one with its view."""
    for found in parsed(template).find_all(nodes.Include):
        if isinstance(found.template, nodes.Const):
            yield found.template.value
            yield from included(found.template.value)


def imported(template: str) -> Iterator[str]:
    """The templates whose macros this one calls."""
    for found in parsed(template).find_all(nodes.FromImport):
        if isinstance(found.template, nodes.Const):
            yield found.template.value


def used(template: str) -> set[str]:
    """What a template reads of its view, where the view is its own."""
    tree = parsed(template)
    other = {id(inner) for block in tree.find_all(nodes.With) for inner in block.find_all(nodes.Node)}
    return {
        found.attr
        for found in tree.find_all(nodes.Getattr)
        if isinstance(found.node, nodes.Name) and found.node.name == "view" and id(found) not in other
    }


@pytest.mark.parametrize("template", sorted(VIEWS))
def test_a_template_reads_only_what_its_view_has(template: str) -> None:
    view = VIEWS[template]
    own = {each.name for each in fields(view)} | {name for name in dir(view) if not name.startswith("_")}
    others = {each for each in VIEWS if each != template}
    for each in (template, *(name for name in included(template) if name not in others)):
        assert used(each) <= own, each


def test_every_template_is_a_views_or_part_of_one() -> None:
    parts = {name for template in VIEWS for name in (*included(template), *_extended(template))}
    parts |= {part for name in parts for part in included(name)}
    assert set(DRAWN) == set(VIEWS) | parts | {name for each in DRAWN for name in imported(each)}


def _extended(template: str) -> Iterator[str]:
    for found in parsed(template).find_all(nodes.Extends):
        if isinstance(found.template, nodes.Const):
            yield found.template.value
            yield from included(found.template.value)


def test_nothing_is_put_on_a_page_that_was_not_escaped() -> None:
    for template in DRAWN:
        tree = parsed(template)
        assert not [each for each in tree.find_all(nodes.Filter) if each.name == "safe"], template
        assert not list(tree.find_all(nodes.ScopedEvalContextModifier)), template
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|<script(?![^>]*\bsrc=)|\son[a-z]+=", text), template


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    assert places(Language.CHINESE) == places(Language.ENGLISH)


def places(language: Language) -> dict[str, set[str]]:
    return {
        key: {name for _, name, _, _ in string.Formatter().parse(said) if name}
        for key, said in words_of(language).all().items()
    }


def test_words_that_a_template_names_are_there() -> None:
    for template in DRAWN:
        for call in parsed(template).find_all(nodes.Call):
            is_words = isinstance(call.node, nodes.Name) and call.node.name == "t"
            if is_words and isinstance(call.args[0], nodes.Const):
                assert CHINESE.has(call.args[0].value), f"{template}: {call.args[0].value}"


def test_every_page_has_a_title_and_every_entry_of_the_menu_a_name() -> None:
    for view in VIEWS.values():
        assert CHINESE.has(f"{view.page}.title"), view
    assert all(ENGLISH.has(f"server.menu.{entry.name}") for entry in MENU)
    assert len({entry.letter for entry in MENU}) == len(MENU)


def test_words_that_there_are_not_are_a_fault() -> None:
    with pytest.raises(UnknownWording, match=r"en: server\.nothing"):
        ENGLISH("server.nothing")
    with pytest.raises(UnknownWording, match="number"):
        ENGLISH("server.frame.stopped")


def test_scripts_are_small_and_load_nothing_from_elsewhere() -> None:
    scripts = list(FOLDER.rglob("*.js"))
    assert sum(path.stat().st_size for path in scripts) <= LARGEST_SCRIPTS
    for path in (*scripts, *FOLDER.rglob("*.css")):
        assert not re.search(r"https?://|//[a-z]+\.", without_comments(path)), path


def without_comments(path: Path) -> str:
    return re.sub(r"^\s*//[^\n]*$|/\*[^*]*\*/", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_text_becomes_html_in_one_module_only() -> None:
    sinks = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|createPolicy"
    )
    found = {path.name for path in FOLDER.rglob("*.js") if sinks.search(without_comments(path))}
    assert found == {"trusted.js"}


def test_the_console_has_no_loop_and_no_sleep_within_a_request() -> None:
    # What goes on by itself is the work of the fleet (CONSOLE.md §10); the one reader of changes is in `live`.
    for path in (PROJECT / "console").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "live.py":
            assert "create_task" not in text, path
            assert "sleep" not in text, path
