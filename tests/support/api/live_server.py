"""The API behind a real socket."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from api.server.process import Server
from tests.support.api.client import built_over
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until


@contextmanager
def serving(house: InProcessFleet, **options: Any) -> Iterator[str]:
    """The address of the API over this house, on a free port."""
    with built_over(house) as app:
        server = Server.over(app, host="127.0.0.1", port=0, **options)
        thread = threading.Thread(target=server.run)
        thread.start()
        wait_until(lambda: server.started or not thread.is_alive())
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1"
        server.should_exit = True
        thread.join(180)
        assert not thread.is_alive()
