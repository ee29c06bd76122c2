"""Authentication and authorisation: a key, its agent, its scopes (SPEC.md §6)."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.params import Security as SecurityParameter
from fastapi.security.base import SecurityBase

from api.server.coalescer import Coalescer
from api.server.limits.failed_logins import FailedLogins
from api.server.refusal import Refusal
from runtime.api_key import is_junk
from runtime.logs import logger
from runtime.principal import act_for
from schemas.access.scopes import Scope
from schemas.core.error import Code
from storage.access.keys import Key, Keys, digest
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable

_log = logger(__name__)

AGENT_HEADER: Final = "X-Agent-ID"
CACHE_SECONDS: Final = 5.0
"""How long a key is believed without looking again: for so long a revoked key may still give access."""
TOUCH_SECONDS: Final = 60.0
"""How often it is written at most that a key was used."""
_MOST_CACHED: Final = 1024
_LONGEST_KEY: Final = 256
_DESCRIPTION: Final = (
    "`Authorization: Bearer KEY`. Each agent has its own key. `X-Agent-ID` is optional; when given it must "
    "be the key's agent. The scope beside the scheme is what the key needs."
)


@dataclass(slots=True)
class _Known:
    key: Key
    believed_until: float
    touched_at: float


class Keyring:
    """Finds keys by their hash, cached for a few seconds; unknown keys are never cached."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._lookup: Coalescer[str, Key | None] = Coalescer(self._find, of_all=(StorageUnavailable,))
        self._used: list[str] = []
        self._touching: asyncio.Task[None] | None = None

    async def owner(self, key: str) -> Key | None:
        """The key's owner and scopes; `None` for a key that nobody has.

        Raises:
            StorageUnavailable: it is not in the cache, and PostgreSQL does not answer.
        """
        if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable() or is_junk(key):
            return None
        name = digest(key)
        known = self._known.get(name)
        if known is None or self._clock() >= known.believed_until:
            known = await self._look(key, name)
        if known is None:
            return None
        self._note_use(known)
        return known.key

    def has_seen(self, key: str) -> bool:
        """Whether the key gave access before, as far as is remembered."""
        return digest(key) in self._known

    async def close(self) -> None:
        """Look nothing up any more; what was used is noted."""
        await self._lookup.close()
        if self._touching is not None:
            await asyncio.wait([self._touching])

    async def _look(self, key: str, name: bytes) -> _Known | None:
        looked_at = self._clock()
        found = await self._lookup.submit(key)
        before = self._known.pop(name, None)
        if found is None:
            return None
        while len(self._known) >= _MOST_CACHED:
            del self._known[next(iter(self._known))]
        touched_at = -math.inf if before is None else before.touched_at
        known = self._known[name] = _Known(found, looked_at + CACHE_SECONDS, touched_at)
        return known

    def _note_use(self, known: _Known) -> None:
        """Have it written that the key was used, beside the request and not within it."""
        now = self._clock()
        if now < known.touched_at + TOUCH_SECONDS:
            return
        known.touched_at = now
        self._used.append(known.key.key_id)
        if self._touching is None:
            self._touching = asyncio.get_running_loop().create_task(self._touch(), context=Context())

    async def _touch(self) -> None:
        used: list[str] = []
        try:
            while self._used:
                used, self._used = self._used, []
                await asyncio.to_thread(self._write_use, used)
        except StorageUnavailable as error:
            _log.info("when keys were used could not be written", keys=len(used), error=str(error))
        finally:
            self._touching = None

    def _write_use(self, key_ids: Sequence[str]) -> None:
        with self._database.transaction() as work:
            Keys(work).touch(key_ids)

    def _find(self, keys: Sequence[str]) -> list[Key | None]:
        with self._database.transaction() as work:
            found = {key: Keys(work).find(key) for key in set(keys)}
        return [found[key] for key in keys]


class ScopeCheck(SecurityBase):
    """The check of a route: counts the request, and admits a key that has the scope, before the body is read."""

    def __init__(self, scope: Scope, *, repeatable: bool = False) -> None:
        self.scope = scope
        self.repeatable = repeatable
        self.model = HTTPBearer(description=_DESCRIPTION)
        self.scheme_name = "key"

    async def __call__(self, request: Request) -> Key:
        """The caller.

        Raises:
            Refusal: nobody we know (401), too many requests or wrong keys (429), or not allowed (403).
        """
        admitted = getattr(request.state, "caller", None)
        if isinstance(admitted, Key):
            act_for(admitted.key_id)
            return admitted
        services = request.app.state.services
        address = request.client.host if request.client else ""
        key = await admitted_by(
            bearer(request.headers.get("Authorization", "")),
            address,
            services.keyring,
            services.failed_logins,
        )
        # What a key may not do is counted as well: asking costs us the same.
        await services.rate_limits.admit(key)
        require_scope(key, self.scope, request.headers.get(AGENT_HEADER), address)
        request.state.caller = key
        act_for(key.key_id)
        return key


async def admitted_by(key: str, address: str, keyring: Keyring, failed_logins: FailedLogins) -> Key:
    """The owner of a key that came from this address.

    Raises:
        Refusal: nobody we know (401); this address has sent too many unknown keys (429).
        StorageUnavailable: PostgreSQL does not answer; nobody unknown is admitted.
    """
    if key and not keyring.has_seen(key):
        failed_logins.check(address)
    owner = await keyring.owner(key)
    if owner is not None:
        return owner
    # Junk costs a look at its checksum, so it brings nobody nearer to being shut out.
    if key and not is_junk(key):
        failed_logins.note(address)
    _log.warning("nobody's key", address=address, given=bool(key), junk=is_junk(key))
    raise Refusal(
        Code.UNAUTHORIZED,
        "send Authorization: Bearer KEY with a key of this installation",
        headers={"WWW-Authenticate": "Bearer"},
    )


def require_scope(key: Key, scope: Scope, claimed: str | None, address: str) -> None:
    """Let a key go on that has the scope, from whoever it claims to be.

    Args:
        key: The caller's.
        scope: What is needed.
        claimed: The agent that the request names; None where it names none.
        address: Where the request came from.

    Raises:
        Refusal: it may not (403); who it was is logged, under the id of the request.
    """
    if scope not in key.scopes or (claimed is not None and claimed != key.agent_id):
        _log.warning(
            "forbidden", key_id=key.key_id, agent_id=key.agent_id, scope=scope.value, address=address
        )
        raise Refusal(Code.FORBIDDEN, "this key may not do this")


def requires(scope: Scope, *, repeatable: bool = False) -> SecurityParameter:
    """What a route declares beside its path: the one scope its callers need.

    Args:
        scope: What a key must have.
        repeatable: For a write that only reads, or knows a repeated request by itself (a `task_id`): it takes no
            `Idempotency-Key`.
    """
    security: SecurityParameter = Security(ScopeCheck(scope, repeatable=repeatable), scopes=[scope.value])
    return security


async def caller_of(request: Request) -> Key:
    """Who called: known once the route's check admitted them."""
    caller = request.state.caller
    assert isinstance(caller, Key), "a route that asks for its caller declares the scope they need"
    return caller


def bearer(header: str) -> str:
    """The key of an `Authorization` header (RFC 6750 §2.1); nothing when it holds none."""
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
