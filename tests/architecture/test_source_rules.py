"""What the source may not do, whoever wrote it: rules that a linter does not know."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from runtime.settings import PROJECT
from statemachine.workflow.states import RunState, StepState
from tests.support.source import MIGRATIONS, place, python_files, text_files, tree_of

DEFINITIONS = PROJECT / "config" / "workflows"
LONGEST_FILE = 300
COMMITTING = {"storage/core/database.py", "storage/core/migrate.py"}
CATCH_ALL = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"}
BROAD = {"Exception", "BaseException"}
ORDINARY_FOLDERS = {
    "app",
    "bin",
    "data",
    "etc",
    "home",
    "lib",
    "mnt",
    "opt",
    "run",
    "root",
    "srv",
    "tmp",
    "usr",
    "var",
}


def commits(tree: ast.AST) -> Iterator[int]:
    """Lines that end a transaction: `x.commit()`, or `begin()` of an engine or a connection."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="commit" | "begin_nested")):
                yield node.lineno
            case ast.Call(
                func=ast.Attribute(attr="begin", value=ast.Name(id=receiver) | ast.Attribute(attr=receiver))
            ) if re.search("engine|connection|session", receiver):
                yield node.lineno


def broad_handlers(tree: ast.AST) -> Iterator[int]:
    """Lines that catch everything and do not raise it again."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node.type):
            last = node.body[-1]
            if not (isinstance(last, ast.Raise) and last.exc is None):
                yield node.lineno


def _catches_everything(caught: ast.expr | None) -> bool:
    match caught:
        case None:
            return True
        case ast.Name(id=name):
            return name in BROAD
        case ast.Tuple(elts=several):
            return any(_catches_everything(one) for one in several)
        case _:
            return False


def test_a_transaction_is_ended_in_two_files_only() -> None:
    ending = {place(path) for path in python_files() if list(commits(tree_of(path)))}
    assert ending == COMMITTING


@pytest.mark.parametrize(
    "line",
    [
        "work.commit()",
        "self._connection.commit()",
        "with engine.begin() as c: pass",
        "self._engine.begin()",
        "connection.begin()",
    ],
)
def test_an_ended_transaction_is_found(line: str) -> None:
    assert list(commits(ast.parse(line))) == [1]
    assert not list(commits(ast.parse("transaction.begin(run); commit(work); begin()")))


def misleading_aliases(statement: str) -> list[str]:
    """Columns cast to text that are named as the column is: `ORDER BY` would take the text, digits and all."""
    forms = (r"\b(\w+)\s*::\s*text AS \1\b", r"CAST\((?:\w+\.)?(\w+) AS text\) AS \1\b")
    return [found for form in forms for found in re.findall(form, statement, re.IGNORECASE)]


def test_no_column_is_read_as_text_under_its_own_name() -> None:
    storage = [path for path in python_files() if place(path).startswith("storage/")]
    assert [place(p) for p in storage if misleading_aliases(p.read_text(encoding="utf-8"))] == []


def test_a_column_read_as_text_under_its_own_name_is_found() -> None:
    misleading = ("SELECT n::text AS n, a", "SELECT CAST(e.n AS text) AS n", "SELECT e.n::text AS n")
    assert all(misleading_aliases(statement) == ["n"] for statement in misleading)
    assert not misleading_aliases("SELECT n::text AS number, CAST(e.n AS text) AS number, CAST(:n AS text)")


def test_everything_is_caught_in_one_place_only() -> None:
    catching = [place(path) for path in python_files() for _ in broad_handlers(tree_of(path))]
    assert catching == ["engine/rescue/isolation.py"]


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except: pass", True),
        ("except Exception: pass", True),
        ("except BaseException as e: print(e)", True),
        ("except (ValueError, Exception): pass", True),
        ("except Exception as e: raise ValueError from e", True),
        ("except BaseException: raise", False),
        ("except ValueError: pass", False),
    ],
)
def test_a_handler_that_catches_everything_is_found(handler: str, found: bool) -> None:
    assert bool(list(broad_handlers(ast.parse(f"try: pass\n{handler}")))) is found


def test_no_file_is_longer_than_can_be_read_at_a_sitting() -> None:
    long = {
        place(path): lines
        for path in python_files()
        if path.parent != MIGRATIONS
        and (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE
    }
    assert long == {}


def test_no_module_is_named_for_anything_and_nothing() -> None:
    names = {part for path in python_files() for part in path.relative_to(PROJECT).with_suffix("").parts}
    assert names & CATCH_ALL == set()


def test_every_module_says_what_it_is() -> None:
    silent = [place(path) for path in python_files() if not ast.get_docstring(tree_of(path))]
    assert silent == []


def machine_paths() -> re.Pattern[str]:
    """Places that exist on the machine of whoever writes: a home, or the folder of this very checkout."""
    homes = r"/(?:home|Users)/(?!app\b|unpend\b|runner\b|\{)[\w.-]+/"
    top = PROJECT.parts[1] if len(PROJECT.parts) > 2 else ""
    here = [re.escape(str(PROJECT))]
    if top and top not in ORDINARY_FOLDERS and not (PROJECT / top).exists():
        here.append(rf"/{re.escape(top)}/")
    return re.compile(rf"(?<![\w.\-/\])}}])(?:{homes}|{'|'.join(here)})")


def test_no_file_speaks_of_the_machine_it_was_written_on() -> None:
    pattern = machine_paths()
    found = [
        place(path, number)
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", [f"see {PROJECT}/README.md", "in " + "/home/" + "somebody/notes", f"'{PROJECT}'"]
)
def test_a_path_of_a_machine_is_found(text: str) -> None:
    assert machine_paths().search(text)


@pytest.mark.parametrize(
    "text", ["/var/lib/postgresql", "GET /v1/tasks", "https://example.com/home/x", "a/home/b/c"]
)
def test_a_path_of_a_server_or_an_address_is_none_of_a_machine(text: str) -> None:
    assert not machine_paths().search(text)


def test_the_files_looked_at_are_those_of_the_project() -> None:
    seen = {place(path) for path in text_files()}
    assert {"pyproject.toml", "storage/core/database.py", "config/workflows/pending_task_1.0.yaml"} <= seen
    assert place(Path(__file__)) in seen
    assert len(python_files()) > 150


def test_no_code_names_a_step_of_a_definition() -> None:
    definitions = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in DEFINITIONS.glob("*.yaml")]
    steps = {str(step["id"]) for definition in definitions for step in definition["steps"]}
    assert steps
    named = {
        f"{place(path)}:{node.lineno}"
        for path in python_files()
        if not place(path).startswith("tests/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and node.value in steps
    }
    assert named == set()


def bare_states(statement: str) -> list[str]:
    """The states of steps or runs that an SQL condition has as words; those of other tables share three of them."""
    others = {StepState.CANCELLED.value, StepState.FAILED.value, RunState.CREATED.value}
    words = "|".join({state.value for state in (*StepState, *RunState)} - others)
    return re.findall(rf"\bstate (?:=|<>|IN|NOT IN|WHEN) \(?'({words})'", statement)


def test_no_statement_has_the_state_of_a_step_or_a_run_as_a_word() -> None:
    storage = [path for path in python_files() if place(path).startswith("storage/")]
    found = {
        place(path): states
        for path in storage
        if MIGRATIONS not in path.parents and (states := bare_states(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_state_of_a_step_as_a_word_is_found() -> None:
    assert bare_states("WHERE s.state = 'done' OR s.state NOT IN ('leased', 'ready')") == ["done", "leased"]
    assert bare_states("WHERE s.state = {DONE} OR r.state = 'open' AND kind = 'ready'") == []
