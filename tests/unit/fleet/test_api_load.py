"""The open load against a server that answers as the test says: what is counted, and from when."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from bench.api_load import Load, LoadPlan
from bench.http_connection import BROKEN

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def load_of(answering: Answering, moments: list[float]) -> Load:
    async def run() -> Load:
        connections: list[asyncio.Task[None] | None] = []

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(asyncio.current_task())
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await answering(reader, writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        plan = LoadPlan(
            port=port,
            key=SecretStr("a key of the test"),
            moments=moments,
            orders=["{}"] * (len(moments) // 2),
            task_ids=[f"HT{number}" for number in range(len(moments) // 2)],
            known=["HT"],
        )
        load = Load(plan)
        async with asyncio.timeout(30):
            await load.run()
        await asyncio.gather(*(connection for connection in connections if connection is not None))
        server.close()
        await server.wait_closed()
        return load

    return asyncio.run(run())


async def asked_for(reader: asyncio.StreamReader) -> bytes:
    """The next request's first line; its body, where there is one, is `{}`. Nothing when there is none."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"POST"):
        await reader.readexactly(2)
    return head.split(b"\r\n", 1)[0]


def answering_with(answer: bytes, seen: list[bytes]) -> Answering:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await asked_for(reader))
            writer.write(answer)

    return serve


def test_new_orders_and_known_ones_take_turns() -> None:
    seen: list[bytes] = []
    load = load_of(answering_with(OK, seen), [0.0, 0.01, 0.02, 0.03])
    assert load.start.codes == {"200": 2}
    assert load.status.codes == {"200": 2}
    assert sum(line.startswith(b"POST") for line in seen) == 2


def test_an_answer_that_is_an_error_is_counted_by_its_code() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    load = load_of(answering_with(busy, []), [0.0, 0.01])
    assert load.start.codes == {"503": 1}


def test_a_connection_that_ends_without_an_answer_is_counted() -> None:
    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await asked_for(reader)

    load = load_of(hang_up, [0.0, 0.01])
    assert load.status.codes == {BROKEN: 1}
    assert load.start.codes == {BROKEN: 1}


def test_requests_are_sent_when_due_though_none_before_was_answered() -> None:
    # The server answers nobody until everybody has asked: a load that waits for answers would never end.
    everybody = asyncio.Barrier(6)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked_for(reader)
        await everybody.wait()
        writer.write(OK)

    load = load_of(serve, [number / 1000 for number in range(6)])
    assert load.start.codes + load.status.codes == {"200": 6}


def test_time_counts_from_when_a_request_was_due_not_from_when_it_was_sent() -> None:
    # Due an hour before the load began: what it could not send then is as late as if it had waited so long.
    load = load_of(answering_with(OK, []), [-3600.0])
    assert load.status.seconds[0] > 3600
