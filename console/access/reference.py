"""The API's routes as a page: it needs neither the API nor the internet (CONSOLE.md §5)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from console.server.route import page
from console.server.visit import Visit

FILE: Final = Path(__file__).with_name("api_reference.json")
"""Written by `python docs/generate.py` from the API's own description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePage:
    """Every route by its group, or those that a text is found in."""

    template: ClassVar[str] = "access/reference.html"
    page: ClassVar[str] = "reference"

    sought: str
    groups: Sequence[Mapping[str, Any]]
    number: int
    """How many routes are shown."""


def show_reference(visit: Visit) -> Response:
    """The routes whose path, title or group has this text in it."""
    sought = visit.query.get("q", "").strip()
    found = []
    for group in _groups():
        operations = [each for each in group["operations"] if _has(group, each, sought.lower())]
        if operations:
            found.append({**group, "operations": operations})
    number = sum(len(group["operations"]) for group in found)
    return visit.page(ReferencePage(sought=sought, groups=found, number=number))


@cache
def _groups() -> Sequence[Mapping[str, Any]]:
    read: list[Mapping[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def _has(group: Mapping[str, Any], operation: Mapping[str, Any], sought: str) -> bool:
    where = (group["name"], operation["method"], operation["path"], operation["title"], operation["name"])
    return sought in " ".join(where).lower()


ROUTES: Final[tuple[BaseRoute, ...]] = (page("/docs", show_reference),)
"""The route of the reference."""
