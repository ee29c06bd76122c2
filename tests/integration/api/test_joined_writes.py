"""What a server writes in one turn of the event loop leaves in one packet."""

import asyncio
import socket
from collections.abc import Callable

from api.server.limits.joined_writes import JoinedWrites


class Outgoing(asyncio.Transport):
    """A transport that keeps what is sent through it, packet by packet."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.sent.append(b"closed")

    def is_closing(self) -> bool:
        return b"closed" in self.sent


def sent_by(use: Callable[[JoinedWrites], None]) -> list[bytes]:
    async def run() -> list[bytes]:
        outgoing = Outgoing()
        joined = JoinedWrites(outgoing)
        use(joined)
        await asyncio.sleep(0)
        assert joined.is_closing() == outgoing.is_closing()
        return outgoing.sent

    return asyncio.run(run())


def test_what_is_written_in_one_turn_is_sent_together_in_its_order() -> None:
    def answer(joined: JoinedWrites) -> None:
        joined.write(b"head ")
        joined.write(b"body")

    assert sent_by(answer) == [b"head body"]


def test_what_was_written_is_sent_before_the_connection_is_closed() -> None:
    def answer(joined: JoinedWrites) -> None:
        joined.write(b"head ")
        joined.write(b"body")
        joined.close()

    assert sent_by(answer) == [b"head body", b"closed"]


def test_what_is_written_in_another_turn_is_another_packet() -> None:
    async def run() -> list[bytes]:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        joined, packets = JoinedWrites(transport), []
        for packet in (b"first", b"second"):
            joined.write(packet)
            packets.append(await loop.sock_recv(theirs, 100))
        joined.close()
        packets.append(await loop.sock_recv(theirs, 100))
        theirs.close()
        return packets

    assert asyncio.run(run()) == [b"first", b"second", b""]
