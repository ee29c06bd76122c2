"""How often passwords may be tried (CONSOLE.md §3), counted in the memory of one process."""

from dataclasses import dataclass, field
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

TRIES: Final = 5
"""How often a login may be tried in a minute (CONSOLE.md §3)."""
TRIES_OF_ADDRESS: Final = 30
"""How often one address may try any logins in a minute: many people may sit behind it."""
COMPARED_AT_ONCE: Final = 2
"""Passwords one process compares at the same time: each takes a processor and 64 MiB for a fifth of a second."""


@dataclass(frozen=True, slots=True)
class LoginTries:
    """Counts tries by login and by address."""

    _windows: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(MemoryStorage()))

    def is_admitted(self, login: str, address: str) -> bool:
        """Count a try; whether there is one left in this minute."""
        # The address first: one that is shut out uses up nobody's tries.
        tried = ((f"address {address}", TRIES_OF_ADDRESS), (f"login {login}", TRIES))
        return all(self._windows.hit(RateLimitItemPerMinute(most), name) for name, most in tried)
