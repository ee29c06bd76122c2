"""The project's own source files, as text and as syntax trees."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from runtime.settings import PROJECT

PYPROJECT: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: tuple[str, ...] = tuple(PYPROJECT["tool"]["importlinter"]["root_packages"])
MIGRATIONS = PROJECT / "storage" / "migrations" / "versions"
_TEXT = {
    ".py",
    ".md",
    ".yaml",
    ".yml",
    ".toml",
    ".json",
    ".jsonl",
    ".sh",
    ".mako",
    ".lock",
    ".txt",
    ".cfg",
    "",
}
_FOLDERS = (*PACKAGES, "config", "deploy", "docs", "tests", ".ci")


@cache
def python_files() -> tuple[Path, ...]:
    """Every Python file of what runs; tests are not among them."""
    return (
        PROJECT / "beat_schedule.py",
        *(path for package in PACKAGES for path in sorted((PROJECT / package).rglob("*.py"))),
    )


@cache
def tree_of(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, line: int = 0) -> str:
    """Where something is, as an editor finds it."""
    relative = path.relative_to(PROJECT).as_posix()
    return f"{relative}:{line}" if line else relative


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """The modules a file imports, anywhere in it, with the line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno


def text_files() -> Iterator[Path]:
    """Every file people read that belongs to the project, wherever it lies."""
    for path in sorted(PROJECT.iterdir()):
        if path.is_file() and path.suffix in _TEXT:
            yield path
    for folder in _FOLDERS:
        for path in sorted((PROJECT / folder).rglob("*")):
            # A secret of this machine's own deployment is no file of the project.
            if path.is_file() and path.suffix in _TEXT and path.parent.name not in {"__pycache__", "secrets"}:
                yield path
