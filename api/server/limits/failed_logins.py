"""Limits failed logins: how many unknown keys one address may send (SPEC.md §6).

A wrong key costs a look into the database, so wrong keys are what is counted. An address may stand for many
callers behind one proxy; a key that gave access before is therefore never refused for what others try.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from api.server.refusal import Refusal
from schemas.core.error import Code

TRIES: Final = 20
"""Wrong keys one address may send in a window."""
WINDOW_SECONDS: Final = 60.0
_MOST_ADDRESSES: Final = 10_000
_IPV6_NETWORK_BITS: Final = 64


@dataclass(slots=True)
class _Tries:
    until: float
    count: int = 0


class FailedLogins:
    """Counts wrong keys by the address they come from, in the memory of this process."""

    def __init__(
        self,
        *,
        locked_out: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what is told of an address that has used up its tries: once in its window."""
        self._locked_out = locked_out
        self._clock = clock
        self._tries: dict[str, _Tries] = {}

    def check(self, address: str) -> None:
        """Return while the address may still try.

        Raises:
            Refusal: it has tried too often (429).
        """
        tries = self._tries.get(_network(address))
        now = self._clock()
        if tries is None or tries.count < TRIES or now >= tries.until:
            return
        wait = max(1, math.ceil(tries.until - now))
        raise Refusal(
            Code.RATE_LIMITED,
            f"too many unknown keys were sent from this address; try again in {wait} s",
            headers={"Retry-After": str(wait)},
        )

    def note(self, address: str) -> None:
        """Count a wrong key from this address."""
        name, now = _network(address), self._clock()
        tries = self._tries.get(name)
        if tries is None or now >= tries.until:
            self._tries.pop(name, None)
            while len(self._tries) >= _MOST_ADDRESSES:
                del self._tries[next(iter(self._tries))]
            tries = self._tries[name] = _Tries(now + WINDOW_SECONDS)
        tries.count += 1
        if tries.count == TRIES:
            self._locked_out(address)


def _network(address: str) -> str:
    """The address, or the network one IPv6 customer is given: it holds more addresses than can be counted."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(int(parsed) >> (128 - _IPV6_NETWORK_BITS))
