"""What people do in messengers reaches the product by one way: the service that answers questions (CONSOLE.md §10)."""

from pathlib import Path

import pytest

from runtime.settings import PROJECT
from tests.support.source import imported, place, python_files

WAY = "tasks.people.continuing"
ITSELF = ("api.people.cards", "api.people.im_callbacks", "tasks.im", "tools.im")
PRODUCT = (
    *("engine", "statemachine", "workers", "fleet", "tasks"),
    *("storage.engine", "storage.flows", "storage.orders", "storage.outbound", "storage.people"),
    *("api.flows", "api.orders", "api.outbound", "api.people"),
)

SHOWS = "tasks/im/cards.py"
"""Reads a question to show it; it decides nothing."""
READS = {"tasks.forms", "storage.people.reviews", "storage.engine.clock"}

FILES = [
    path
    for path in python_files()
    if place(path).startswith(("tasks/im/", "tools/im/"))
    or place(path) in {"api/people/im_callbacks.py", "api/people/cards.py"}
]


def is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def reached(path: Path) -> set[str]:
    """The modules of the product that a file imports."""
    return {name for name, _ in imported(path) if is_in(name, PRODUCT) and not is_in(name, ITSELF)}


@pytest.mark.parametrize("path", FILES, ids=place)
def test_what_comes_from_a_messenger_reaches_the_product_by_the_service_that_answers_alone(
    path: Path,
) -> None:
    allowed = READS if place(path) == SHOWS else {WAY}
    assert reached(path) <= allowed


def test_the_way_is_taken_where_callbacks_come_in() -> None:
    taken = {place(path) for path in FILES if WAY in reached(path)}
    assert taken == {"api/people/im_callbacks.py", "tasks/im/presses.py"}


def test_the_way_is_that_of_the_api() -> None:
    assert WAY in reached(PROJECT / "api" / "people" / "interrupts.py")


def test_the_files_were_found() -> None:
    assert {
        "api/people/cards.py",
        SHOWS,
        "tools/im/feishu.py",
        "tools/im/wecom.py",
        "tools/im/dingtalk.py",
    } <= set(map(place, FILES))
