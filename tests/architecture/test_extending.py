"""docs/extending.md is run: what it says to write is written into a copy of the project, and each trial holds there."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.settings import PROJECT
from tests.support.source import PACKAGES

PAGE = (PROJECT / "docs" / "extending.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"<!-- (?P<where>[a-z]+): (?P<what>.+?) -->\n```\w+\n(?P<code>.*?)```\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """Code of the page, with what is to be done with it."""

    where: str
    what: str
    code: str


BLOCKS = [Block(found["where"], found["what"], found["code"]) for found in _BLOCK.finditer(PAGE)]
TRIALS = [block for block in BLOCKS if block.where == "try"]


def insert(folder: Path, block: Block) -> None:
    """Write code into a file that is there, where the page says."""
    path, _, where = block.what.partition(" | ")
    how, _, line = where.partition(": ")
    file = folder / path
    text = file.read_text(encoding="utf-8")
    if how == "replace":
        assert line in text, f"{path} has no {line!r}"
        file.write_text(text.replace(line, block.code.rstrip("\n")), encoding="utf-8")
        return
    lines = text.splitlines(keepends=True)
    # A line may go on behind what the page shows of it.
    places = [number for number, known in enumerate(lines) if known.rstrip("\n").startswith(line)]
    assert places, f"{path} has no line that begins with {line!r}"
    at = places[0] + (how == "after")
    known = lines[places[0]].rstrip("\n")
    if how == "after" and known != line:
        # What follows on the same line goes behind the insertion.
        lines[places[0]] = f"{line}\n"
        lines.insert(at, f"{' ' * 12}{known.removeprefix(line)}\n")
    lines.insert(at, block.code)
    file.write_text("".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project with everything that the page says."""
    folder = tmp_path_factory.mktemp("extended")
    for name in (*PACKAGES, "config"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "corpus"))
    shutil.copy(PROJECT / "beat_schedule.py", folder)
    for block in BLOCKS:
        if block.where == "file":
            (folder / block.what).parent.mkdir(exist_ok=True)
            (folder / block.what).write_text(block.code, encoding="utf-8")
        elif block.where == "in":
            insert(folder, block)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("trial", TRIALS, ids=[trial.what for trial in TRIALS])
def test_what_the_page_says_works(extended: Path, trial: Block) -> None:
    tried = subprocess.run(
        [sys.executable, "-c", trial.code],
        cwd=extended,
        env={"PYTHONPATH": str(extended), "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr


def test_every_walk_of_the_page_is_tried() -> None:
    walks = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert len(walks) == len(TRIALS) == 5


def test_every_file_that_the_page_lists_is_one_that_it_writes() -> None:
    written = {block.what.partition(" | ")[0] for block in BLOCKS if block.where != "try"}
    first_cells = "\n".join(re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE))
    listed = set(re.findall(r"`([\w/]+\.(?:py|yaml))`", first_cells))
    assert listed == written
