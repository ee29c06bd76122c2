"""Who calls and what they may do: a key, its agent, its scopes (SPEC.md §6)."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.params import Security as SecurityParameter
from fastapi.security.base import SecurityBase

from api.coalescer import Coalescer
from api.refusal import Refusal
from schemas.http.error import Code
from schemas.scopes import Scope
from storage.database import Database
from storage.keys import Key, digest
from storage.unavailable import StorageUnavailable

AGENT_HEADER: Final = "X-Agent-ID"
CACHE_SECONDS: Final = 5.0
"""How long a key is believed without looking again: so long may one that was revoked still be let in."""
_MOST_CACHED: Final = 1024
_LONGEST_KEY: Final = 256
_DESCRIPTION: Final = (
    "`Authorization: Bearer KEY`. Each agent has its own key. `X-Agent-ID` is optional; when given it must "
    "be the key's agent. The scope beside the scheme is what the key needs."
)


class Keyring:
    """Looks keys up by their hash, and believes what it found for a few seconds; never a miss."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[bytes, tuple[Key, float]] = {}
        self._lookup: Coalescer[str, Key | None] = Coalescer(self._find, of_all=(StorageUnavailable,))

    async def owner(self, key: str) -> Key | None:
        """The key's owner and scopes; `None` for one that is not let in.

        Raises:
            StorageUnavailable: it is not in the cache, and PostgreSQL does not answer.
        """
        if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
            return None
        name = digest(key)
        found, until = self._known.get(name, (None, 0.0))
        if found is not None and self._clock() < until:
            return found
        looked_at = self._clock()
        found = await self._lookup.submit(key)
        self._known.pop(name, None)
        if found is not None:
            while len(self._known) >= _MOST_CACHED:
                del self._known[next(iter(self._known))]
            self._known[name] = (found, looked_at + CACHE_SECONDS)
        return found

    async def close(self) -> None:
        """Look nothing up any more."""
        await self._lookup.close()

    def _find(self, keys: Sequence[str]) -> list[Key | None]:
        with self._database.transaction() as work:
            found = {key: work.keys.find(key) for key in set(keys)}
        return [found[key] for key in keys]


class Guard(SecurityBase):
    """Lets a request pass whose key has the scope; `api.route.Route` asks it before the body is read."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.model = HTTPBearer(description=_DESCRIPTION)
        self.scheme_name = "key"

    async def __call__(self, request: Request) -> Key:
        """The caller.

        Raises:
            Refusal: nobody we know (401), or not allowed (403); neither says why.
        """
        admitted = getattr(request.state, "caller", None)
        if isinstance(admitted, Key):
            return admitted
        keyring: Keyring = request.app.state.services.keyring
        key = await keyring.owner(_bearer(request.headers.get("Authorization", "")))
        if key is None:
            raise Refusal(
                Code.UNAUTHORIZED,
                "send Authorization: Bearer KEY with a key of this installation",
                headers={"WWW-Authenticate": "Bearer"},
            )
        claimed = request.headers.get(AGENT_HEADER)
        if self.scope not in key.scopes or (claimed is not None and claimed != key.agent_id):
            raise Refusal(Code.FORBIDDEN, "this key may not do this")
        request.state.caller = key
        return key


def requires(scope: Scope) -> SecurityParameter:
    """What a route declares beside its path: the one scope its callers need."""
    security: SecurityParameter = Security(Guard(scope), scopes=[scope.value])
    return security


async def caller_of(request: Request) -> Key:
    """Who called: given once the route's guard let them pass."""
    caller = request.state.caller
    assert isinstance(caller, Key), "a route that asks for its caller declares the scope they need"
    return caller


def _bearer(header: str) -> str:
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
