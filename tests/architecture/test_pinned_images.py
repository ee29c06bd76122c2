"""Base images: which have no digest is told, and one command writes what the registries answer."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from runtime.settings import PROJECT

FILES = ("deploy/Dockerfile", "docker-compose.yml")
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that name images, without their digests, and the script."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(PROJECT / "deploy/pin-images.sh", tmp_path / "deploy")
    for name in FILES:
        text = (PROJECT / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(re.sub(r"@sha256:[0-9a-f]{64}", "", text), encoding="utf-8")
    return tmp_path


def run(
    checkout: Path, *arguments: str, answer: str = DIGEST, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the script where `docker` gives this answer."""
    docker = checkout / "docker"
    docker.write_text(f"#!/bin/sh\necho '{answer}'\nexit {status}\n", encoding="utf-8")
    docker.chmod(0o700)
    return subprocess.run(
        ["sh", "deploy/pin-images.sh", *arguments],
        cwd=checkout,
        env=os.environ | {"PATH": f"{checkout}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def written(checkout: Path) -> dict[str, str]:
    return {name: (checkout / name).read_text(encoding="utf-8") for name in FILES}


def test_every_base_image_without_a_digest_is_listed(checkout: Path) -> None:
    listed = run(checkout, "--check")
    named = {
        *re.findall(r"^FROM (\S+)", written(checkout)[FILES[0]], re.MULTILINE),
        *re.findall(r"^ +image: ([^\s$]+)$", written(checkout)[FILES[1]], re.MULTILINE),
    }
    assert listed.returncode == 1
    assert set(listed.stdout.split()) == named
    assert {"python:3.12-slim", "postgres:18", "valkey/valkey:9"} <= named


def test_digests_are_written_behind_the_names_and_nothing_else_is_changed(checkout: Path) -> None:
    before = written(checkout)
    assert run(checkout).returncode == 0
    after = written(checkout)
    assert f"FROM python:3.12-slim@{DIGEST} AS build" in after[FILES[0]]
    assert f"    image: postgres:18@{DIGEST}\n" in after[FILES[1]]
    assert {name: text.replace(f"@{DIGEST}", "") for name, text in after.items()} == before
    assert run(checkout, "--check").returncode == 0


@pytest.mark.parametrize(("answer", "status"), [("", 1), ("not a digest", 0), ("", 0)])
def test_what_is_no_digest_is_never_written(checkout: Path, answer: str, status: int) -> None:
    before = written(checkout)
    assert run(checkout, answer=answer, status=status).returncode == 3
    assert written(checkout) == before
