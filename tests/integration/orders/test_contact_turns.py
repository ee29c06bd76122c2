"""A batch of more contacts than may be under way is made in turns; a slow channel gets no more than it can take."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from storage.core.database import Database
from tasks.orders.agents import contact
from tests.support.factories import submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.scripted_channel import ScriptedChannel
from tests.support.probe import Probe
from tools.channels.contract import ContactRequest, SendOutcome

AT_ONCE = 3
ORDERS = 3 * AT_ONCE + 1


@dataclass(slots=True)
class Line(ScriptedChannel):
    """Notes how many contacts are under way together, and how many intents are committed as each is sent."""

    database: Database | None = None
    under_way: int = 0
    most: int = 0
    intents: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    together: threading.Barrier | None = None

    def send(self, request: ContactRequest) -> SendOutcome:
        """Accept, once all of the turn are under way."""
        assert self.database is not None
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.intents.append(int(Probe(self.database).value("SELECT count(*) FROM contact_logs")))
            outcome = ScriptedChannel.send(self, request)
        if self.together is not None and len(self.reached) <= ORDERS - ORDERS % AT_ONCE:
            self.together.wait(180)
        with self.lock:
            self.under_way -= 1
        return outcome


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def house(database_url: str, line: Line) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, gateway=line, largest_batch=AT_ONCE)
    line.database = built.database
    built.accept(*(submission() for _ in range(ORDERS)))
    yield built
    built.close()


def initiated(house: InProcessFleet) -> list[int]:
    """How many contacts were recorded together, by transaction."""
    return Probe(house.database).values(
        "SELECT count(*) FROM audit_logs WHERE event_type = 'contact_initiated' GROUP BY xmin::text ORDER BY 1"
    )


def test_a_batch_is_contacted_in_turns_and_recorded_together(house: InProcessFleet, line: Line) -> None:
    line.together = threading.Barrier(AT_ONCE)
    house.run()
    assert len(set(line.reached)) == len(line.reached) == ORDERS
    assert line.most == AT_ONCE
    assert initiated(house) == [ORDERS]


def test_the_intents_of_a_turn_are_not_committed_before_the_last_one_was_answered(
    house: InProcessFleet, line: Line
) -> None:
    house.run()
    turns = [min((place // AT_ONCE + 1) * AT_ONCE, ORDERS) for place in range(ORDERS)]
    assert line.intents == turns


def test_what_a_slow_channel_has_no_time_for_goes_back_and_is_sent_once(
    house: InProcessFleet, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact, "_BEGIN_SECONDS", 0.0)
    house.run()
    assert len(set(line.reached)) == len(line.reached) == ORDERS
    assert len(initiated(house)) > 1
    assert max(initiated(house)) == AT_ONCE
    assert line.queried == []
