"""The names that the project's packages show: of modules, classes, functions, fields and members of enumerations."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.source import PACKAGES, place, python_files, tree_of

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class PublicName(NamedTuple):
    """A name with the names it stands in, as `Class.method`, and its place in the source."""

    path: Path
    line: int
    kind: str
    qualified: str

    @property
    def name(self) -> str:
        return self.qualified.rpartition(".")[2]

    @property
    def where(self) -> str:
        return f"{place(self.path, self.line)} {self.qualified}"


def words_of(name: str) -> list[str]:
    """The words of a name in snake or camel case, in small letters."""
    return [word.lower() for word in _WORD.findall(name)]


def public_names(path: Path) -> Iterator[PublicName]:
    """Every public name that a file defines; what lies within something private is private."""
    if not path.stem.startswith("_"):
        yield PublicName(path, 0, "module", path.stem)
    if path.name == "__init__.py" and path.parent.name not in PACKAGES:
        yield PublicName(path, 0, "package", path.parent.name)
    yield from names_in(path, tree_of(path).body)


def names_in(path: Path, body: list[ast.stmt], within: str = "") -> Iterator[PublicName]:
    """The public names that these statements define."""
    for node in body:
        for kind, name in _defined(node):
            if not name.startswith("_"):
                yield PublicName(path, node.lineno, kind, within + name)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from names_in(path, node.body, f"{within}{node.name}.")


def classes(*folders: str) -> dict[str, list[PublicName]]:
    """Public classes by name, with every place that defines one of that name."""
    found: dict[str, list[PublicName]] = {}
    for path in files_of(*folders):
        for name in public_names(path):
            if name.kind == "class":
                found.setdefault(name.name, []).append(name)
    return found


def files_of(*folders: str) -> list[Path]:
    """The Python files of these folders, which end in `/`."""
    return [path for path in python_files() if place(path).startswith(folders)]


def _defined(node: ast.stmt) -> Iterator[tuple[str, str]]:
    match node:
        case ast.ClassDef(name=name):
            yield "class", name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield "function", name
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield "field", name
        case ast.Assign(targets=targets):
            yield from (("field", target.id) for target in targets if isinstance(target, ast.Name))
