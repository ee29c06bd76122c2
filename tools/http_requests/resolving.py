"""Resolves names of hosts within a time limit, which resolvers do not have."""

import queue
import socket
import threading
from collections.abc import Callable, Sequence

Resolve = Callable[[str, int, float], Sequence[str]]
"""The IP addresses of a host and port, found within so many seconds.

Raises:
    OSError: there are none, or they could not be found in time.
"""


def resolve(host: str, port: int, seconds: float) -> Sequence[str]:
    """The IP addresses of a host, each once, as the system's resolver prefers them.

    Raises:
        TimeoutError: they were not found within so many seconds.
        OSError: there are none.
    """
    found: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            found.put(error)
        except UnicodeError as error:
            found.put(OSError(f"no name of a host: {type(error).__name__}"))
        else:
            found.put(list(dict.fromkeys(str(answer[4][0]) for answer in answers)))

    threading.Thread(target=look_up, daemon=True, name="resolve").start()
    try:
        answer = found.get(timeout=max(seconds, 0.0))
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer
