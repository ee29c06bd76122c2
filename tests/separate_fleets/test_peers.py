"""The comparison with other engines: rounds in turn on servers of its own, and a peer that is absent is named."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner, Result

from bench.peers.comparison import PEERS
from fleet.command.app import application

DURABLE = ("absurd", "dbos", "procrastinate")


def compared(*arguments: str) -> Result:
    return CliRunner().invoke(application, ["bench", "peers", *arguments])


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def only(names: Sequence[str]) -> list[str]:
    return [argument for name in names for argument in ("--only", name)]


def test_ours_and_a_bare_chain_are_carried_to_their_end_in_turn_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(psutil.Process().children(recursive=True))
    chosen = only(["ours-noop", "celery-chain"])
    told = document(compared("--workflows", "20", "--rounds", "1", "--json", *chosen))
    order = [(one["round"], one["peer"]) for one in told["runs"]]
    assert order == [(0, "ours-noop"), (0, "celery-chain"), (1, "celery-chain"), (1, "ours-noop")]
    assert {one["workflows"] for one in told["runs"]} == {20}
    assert all(one["cpu_seconds"] > 0 for one in told["runs"])
    ours, chain = told["figures"]["ours-noop"], told["figures"]["celery-chain"]
    assert ours["ratios"]["ours-noop"] == {"median": 1.0, "low": 1.0, "high": 1.0}
    assert chain["ratios"]["ours-noop"]["median"] == chain["rate"]["median"] / ours["rate"]["median"]
    assert set(psutil.Process().children(recursive=True)) <= before
    assert list(tmp_path.glob("unpend-peers-*")) == []


def test_a_peer_that_is_not_installed_is_named_and_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for peer in PEERS:
        for package in peer.packages:
            monkeypatch.setitem(sys.modules, package, None)
    result = compared("--workflows", "20", "--rounds", "1", *only(DURABLE))
    assert result.exit_code == 0, result.output
    assert "skipped: dbos: dbos not installed (pip install -e '.[peers]')" in result.stdout
    assert "skipped: absurd: absurd_sdk, absurdctl not installed" in result.stdout
    told = document(compared("--json", *only(DURABLE)))
    assert (sorted(told["skipped"]), told["runs"]) == (sorted(DURABLE), [])


@pytest.mark.parametrize("name", [one.name for one in PEERS if one.is_durable_peer])
def test_a_peer_that_is_installed_carries_its_workflows_to_their_end(name: str) -> None:
    if next(one for one in PEERS if one.name == name).missing:
        pytest.skip(f"{name} is absent; it is only needed for the comparison (extra `peers`)")
    told = document(compared("--workflows", "10", "--rounds", "1", "--json", "--only", name))
    assert len(told["runs"]) == 2


def test_a_peer_that_there_is_not_is_refused() -> None:
    result = compared("--only", "temporal")
    assert result.exit_code == 2
    names = ", ".join(one.name for one in PEERS)
    assert result.stderr == f"unpend: there is no temporal; there are {names}\n"
