"""Who may import whom: the contracts of pyproject.toml, and what they cannot say."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.settings import PROJECT
from tests.support.source import PACKAGES, PYPROJECT, imported, place, python_files, tree_of

CONTRACTS = [contract["name"] for contract in PYPROJECT["tool"]["importlinter"]["contracts"]]
AGENTS = ("orchestrator", "contact", "triage", "action", "audit")
OFFENCES = {
    "Imports go one way": ("schemas/orders/intake.py", "import storage.orders.orders"),
    "Within orders, imports go one way": ("tasks/orders/rules/case.py", "import tasks.orders.calls.calling"),
    "Tools reach the world and never the tables": ("tools/limits.py", "import storage.orders.orders"),
    "Only workers and the fleet know Celery": ("tasks/orders/rules/traces.py", "import celery"),
    "Only storage speaks SQL": ("engine/room.py", "import sqlalchemy"),
    "Only the API and the console know the web framework": ("engine/limits.py", "import fastapi"),
    "The console calls the services, and of the API its server alone": (
        "console/server/form.py",
        "import api.orders.services",
    ),
    "Commands speak HTTP": ("fleet/command/orders/why.py", "import storage.orders.orders"),
    "Agents never import one another": (
        "tasks/orders/agents/contact.py",
        "import tasks.orders.agents.triage",
    ),
    "The engine, the server and what they stand on know no product": (
        "api/server/cursor.py",
        "import api.orders.states",
    ),
    "What products share knows none of them": ("schemas/access/person.py", "import schemas.orders.intake"),
    "Orders know nothing of general workflows": ("tasks/orders/task_form.py", "import tasks.flows.general"),
    "General workflows know nothing of orders": ("schemas/flows/agents.py", "import schemas.orders.intake"),
}


def lint(folder: Path) -> tuple[int, str]:
    """The exit status and the report for the packages of this folder."""
    linted = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", "pyproject.toml"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return linted.returncode, linted.stdout + linted.stderr


def broken(report: str) -> list[str]:
    return [name for name in CONTRACTS if f"{name} BROKEN" in report]


def test_every_contract_holds() -> None:
    status, report = lint(PROJECT)
    assert status == 0, report
    assert all(f"{name} KEPT" in report for name in CONTRACTS)


def test_every_contract_notices_what_it_forbids(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    shutil.copy(PROJECT / "beat_schedule.py", tmp_path)
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, line in OFFENCES.values():
        with (tmp_path / file).open("a", encoding="utf-8") as written:
            written.write(f"\n{line}\n")
    _, report = lint(tmp_path)
    assert broken(report) == CONTRACTS == list(OFFENCES)
    for file, line in OFFENCES.values():
        module = file.removesuffix(".py").replace("/", ".")
        assert f"{module} -> {line.removeprefix('import ')}" in report, report


def test_the_contracts_know_every_package_and_every_agent() -> None:
    found = {path.parent.name for path in PROJECT.glob("*/__init__.py")} - {"tests"}
    packaged = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert found == set(PACKAGES) == {name.rstrip("*") for name in packaged}
    (apart,) = (
        contract["modules"]
        for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
        if contract["type"] == "independence"
    )
    assert set(apart) == {f"tasks.orders.agents.{agent}" for agent in AGENTS}


STANDARD_ONLY = [
    path
    for path in python_files()
    if path.parts[len(PROJECT.parts)] == "statemachine"
    or place(path) in {"runtime/clock.py", "runtime/ids.py"}
]


@pytest.mark.parametrize("path", STANDARD_ONLY, ids=place)
def test_the_rules_stand_on_the_standard_library_alone(path: Path) -> None:
    package = path.relative_to(PROJECT).parts[0]
    outside = {
        name for name, _ in imported(path) if name.split(".")[0] not in {*sys.stdlib_module_names, package}
    }
    assert outside == set()


def test_what_must_stand_alone_was_found() -> None:
    assert len(STANDARD_ONLY) >= 10
    assert {"statemachine/orders/machine.py", "runtime/clock.py", "runtime/ids.py"} <= set(
        map(place, STANDARD_ONLY)
    )


def test_nobody_imports_relatively() -> None:
    relative = [
        place(path, line) for path in python_files() for name, line in imported(path) if name.startswith(".")
    ]
    assert relative == []


def test_the_beat_schedule_is_data() -> None:
    path = PROJECT / "beat_schedule.py"
    assert {name.split(".")[0] for name, _ in imported(path)} <= set(sys.stdlib_module_names)
    statements = {type(node) for node in tree_of(path).body}
    assert statements <= {ast.Expr, ast.ImportFrom, ast.AnnAssign}
    assert not [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
