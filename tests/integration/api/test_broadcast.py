"""Listeners of one process: how many, how slow, and what becomes of them when reading fails."""

import asyncio
from collections.abc import Sequence

import pytest

from api.outbound.streams import following
from api.outbound.streams.broadcast import Broadcast
from api.outbound.streams.following import follow
from api.outbound.streams.listener import End, Listener
from api.server.refusal import Refusal
from runtime.cipher import Cipher
from schemas.core.error import Code
from storage.core.database import Database
from storage.outbound.events import Events
from storage.outbound.feed import ORIGIN, Cursor, Feed, FeedEvent
from tests.integration.test_feed import happened
from tests.support.api.event_stream import PATIENCE
from tests.support.in_process_fleet import CIPHER_KEY


class Guest:
    """A client that does what a test wants of it."""

    def __init__(self, *, takes: bool = True, welcome: bool = True) -> None:
        self.told: list[str] = []
        self.first = asyncio.Event()
        self._takes = takes
        self._welcome = welcome

    async def open(self) -> None:
        pass

    async def send(self, events: Sequence[FeedEvent], /) -> None:
        self.told += [event.title for event in events]
        self.first.set()
        if not self._takes:
            await asyncio.Event().wait()

    async def heartbeat(self) -> bool:
        return self._welcome


def tell(database: Database, number: int) -> None:
    with database.transaction() as work:
        Events(work).append([happened("exec_1", str(n)) for n in range(number)])


async def attended(broadcast: Broadcast, guest: Guest) -> "tuple[asyncio.Task[End], asyncio.Future[None]]":
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    return asyncio.create_task(
        follow(guest, broadcast.listen(None, ORIGIN, "key_1"), broadcast.more, gone)
    ), gone


def test_no_more_listen_than_there_are_places(database: Database) -> None:
    async def crowd() -> None:
        broadcast = Broadcast(database, most=1)
        with (
            broadcast.listen(None, ORIGIN, "key_1"),
            pytest.raises(Refusal),
            broadcast.listen(None, ORIGIN, "key_1"),
        ):
            pass
        with broadcast.listen(None, ORIGIN, "key_1"):
            pass

    asyncio.run(crowd())


def test_one_key_takes_its_share_of_the_places_and_no_more(database: Database) -> None:
    async def crowd() -> None:
        broadcast = Broadcast(database, most=3, most_of_owner=1)
        with broadcast.listen(None, ORIGIN, "key_1"):
            with pytest.raises(Refusal) as refused, broadcast.listen(None, ORIGIN, "key_1"):
                pass
            assert refused.value.code is Code.RATE_LIMITED
            with broadcast.listen(None, ORIGIN, "key_2"):
                pass
        with broadcast.listen(None, ORIGIN, "key_1"):
            pass

    asyncio.run(crowd())


def test_nobody_is_let_in_when_the_process_stops(database: Database) -> None:
    async def late() -> None:
        broadcast = Broadcast(database)
        await broadcast.close()
        with pytest.raises(Refusal), broadcast.listen(None, ORIGIN, "key_1"):
            pass

    asyncio.run(late())


def test_one_who_takes_nothing_is_let_go_when_too_much_waits_and_nobody_else_is(database: Database) -> None:
    async def slow() -> tuple[End, list[str]]:
        broadcast, guest, other = Broadcast(database), Guest(takes=False), Guest()
        visiting, _ = await attended(broadcast, guest)
        staying, gone = await attended(broadcast, other)
        await asyncio.to_thread(tell, database, 1)
        await asyncio.gather(guest.first.wait(), other.first.wait())
        await asyncio.to_thread(tell, database, 1100)
        end = await visiting
        while len(other.told) < 1101:
            other.first.clear()
            await other.first.wait()
        gone.set_result(None)
        await staying
        await broadcast.close()
        return end, other.told

    end, told = asyncio.run(asyncio.wait_for(slow(), PATIENCE))
    assert end is End.SLOW
    assert told == ["0", *map(str, range(1100))]


def test_one_who_leaves_gives_the_place_back(database: Database) -> None:
    async def leave() -> End:
        broadcast, guest = Broadcast(database, most=1), Guest()
        visiting, gone = await attended(broadcast, guest)
        tell(database, 1)
        await guest.first.wait()
        gone.set_result(None)
        end = await visiting
        with broadcast.listen(None, ORIGIN, "key_1"):
            pass
        await broadcast.close()
        return end

    assert asyncio.run(leave()) is End.DISCONNECTED


def test_a_key_that_was_revoked_ends_the_visit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BEAT_SECONDS", 0.05)

    async def revoked() -> End:
        broadcast = Broadcast(database)
        visiting, _ = await attended(broadcast, Guest(welcome=False))
        end = await visiting
        await broadcast.close()
        return end

    assert asyncio.run(revoked()) is End.REVOKED


def test_a_visit_while_the_database_is_away_ends() -> None:
    async def away() -> End:
        nowhere = Database("postgresql+psycopg://nobody:x@127.0.0.1:1/nothing", Cipher(CIPHER_KEY))
        visiting, _ = await attended(Broadcast(nowhere), Guest())
        return await visiting

    assert asyncio.run(away()) is End.OUTAGE


def test_a_listener_is_told_nothing_it_knows(database: Database) -> None:
    with database.transaction() as work:
        Events(work).append([happened("exec_1", title) for title in "abc"])
    with database.transaction() as work:
        events = Feed(work).page(ORIGIN, limit=10).events

    async def repeated() -> list[str]:
        listener = Listener(None, events[0].cursor)
        listener.offer(events[:2])
        listener.offer(events)
        return [event.title for event in await listener.take(0)]

    assert asyncio.run(repeated()) == ["b", "c"]


@pytest.mark.parametrize("cursor", [ORIGIN, Cursor(7, 0), Cursor(2**63 - 1, 2**63 - 1)])
def test_a_place_is_read_back_as_it_was_written(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor
