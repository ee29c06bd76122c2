"""Admits long-lived connections: the key is checked at the start and again from time to time."""

from dataclasses import dataclass, field

from fastapi import Request

from api.server.authentication import Keyring, admitted_by, bearer, require_scope
from api.server.coalescer import CoalescerClosed
from api.server.services import Services
from schemas.access.scopes import Scope
from storage.core.unavailable import StorageUnavailable


@dataclass(frozen=True, slots=True)
class Admission:
    """A key that gave access with a scope."""

    keyring: Keyring
    key: str = field(repr=False)
    owner: str
    scope: Scope

    @classmethod
    async def seek(
        cls, services: Services, key: str, *, address: str, agent: str | None, scope: Scope
    ) -> "Admission":
        """Admit the owner of this key.

        Raises:
            Refusal: nobody we know (401), not allowed (403), or too many wrong keys (429).
            StorageUnavailable: PostgreSQL does not answer; nobody unknown is admitted.
        """
        owner = await admitted_by(key, address, services.keyring, services.failed_logins)
        require_scope(owner, scope, agent, address)
        return cls(services.keyring, key, owner.agent_id, scope)

    @classmethod
    def of(cls, services: Services, request: Request, scope: Scope) -> "Admission":
        """The key of a request that its route has admitted with this scope."""
        key = bearer(request.headers.get("Authorization", ""))
        return cls(services.keyring, key, request.state.caller.agent_id, scope)

    async def holds(self) -> bool:
        """Whether the key still gives access; who was admitted stays so while PostgreSQL is away."""
        try:
            owner = await self.keyring.owner(self.key)
        except StorageUnavailable:
            return True
        except CoalescerClosed:
            return False
        return owner is not None and self.scope in owner.scopes
