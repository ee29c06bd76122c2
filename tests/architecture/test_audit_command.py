"""`make audit`: what is known against a package is told apart from nobody having answered."""

import subprocess
from pathlib import Path

import pytest

from runtime.settings import PROJECT

KNOWN = "| somepackage | 1.0 | PYSEC-2026-1 |"


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        ("", 0, 0),
        (KNOWN, 1, 1),
        ("", 1, 3),
    ],
    ids=["nothing is known", "something is known", "nobody answers"],
)
def test_its_exit_status_tells_what_came_of_it(
    tmp_path: Path, answer: str, status: int, expected: int
) -> None:
    """The command given writes its report to the file it is told, as pip-audit does."""
    audit = tmp_path / "pip-audit"
    audit.write_text(
        "#!/bin/sh\n"
        # A source that knows no package must be a failure.
        '[ "$1" = --strict ] || exit 9\n'
        'while [ "$1" != --output ]; do shift; done\n'
        f"printf '%s' '{answer}' >\"$2\"\n"
        f"exit {status}\n",
        encoding="utf-8",
    )
    audit.chmod(0o700)
    ran = subprocess.run(
        ["sh", str(PROJECT / "deploy/audit.sh"), str(audit)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == expected
    assert ran.stdout == answer
    assert ("no source of advisories" in ran.stderr) == (expected == 3)
