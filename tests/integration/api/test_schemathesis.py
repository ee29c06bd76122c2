"""Schemathesis reads the API's description and holds the live API against it, with a fleet at work behind it."""

from collections.abc import Iterator

import pytest

from api.server.limits import failed_logins
from tests.integration.api.test_description import HELD
from tests.support.api.background_work import working_in_background
from tests.support.api.client import register_keys
from tests.support.api.fuzzing import Findings, look
from tests.support.api.live_server import serving
from tests.support.in_process_fleet import InProcessFleet

# The server works in this process too, and what it draws at random is taken for a strategy's.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


@pytest.fixture
def house(database_url: str, broker_url: str) -> Iterator[InProcessFleet]:
    """A fleet with a Redis: live state is written anew there."""
    built = InProcessFleet.build(database_url, broker_url=broker_url)
    yield built
    built.close()


@pytest.fixture
def address(house: InProcessFleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A live API with a fleet at work; one address may send it any number of wrong keys."""
    monkeypatch.setattr(failed_logins, "TRIES", 1_000_000)
    register_keys(house)
    with serving(house) as served, working_in_background(house):
        yield served


def require_nothing_found(findings: Findings) -> None:
    assert not findings.errors, "\n".join(findings.errors)
    assert not findings.failures, "\n\n".join(findings.failures)
    assert not {status for status in findings.statuses if status >= 500}


def test_every_operation_is_as_it_is_described(address: str) -> None:
    findings = look(address, ("examples", "coverage", "fuzzing"), examples=1)
    require_nothing_found(findings)
    assert set(findings.asked) == {f"{method} {path}" for method, path in HELD}
    assert {200, 201, 401, 404, 405, 409, 415, 422} <= set(findings.statuses)


def test_walks_along_inferred_links_find_nothing(address: str) -> None:
    findings = look(address, ("stateful",), examples=30)
    require_nothing_found(findings)
    assert findings.statuses[200] > 15
