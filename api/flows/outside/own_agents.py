"""For which agents a key speaks."""

from collections.abc import Callable

from api.server.refusal import Refusal
from schemas.access.scopes import Scope
from schemas.core.error import Code
from storage.access.keys import Key


def speaks_for(caller: Key) -> Callable[[str], bool]:
    """Whether this key speaks for an agent: its own, those named `OWN.…`, and an admin's for every one."""
    return lambda agent_id: (
        agent_id == caller.agent_id
        or agent_id.startswith(f"{caller.agent_id}.")
        or Scope.ADMIN in caller.scopes
    )


def require_own(caller: Key, agent_id: str) -> None:
    """Refuse to let a key speak for another's agent.

    Raises:
        Refusal: 403.
    """
    if not speaks_for(caller)(agent_id):
        raise Refusal(
            Code.FORBIDDEN, f"this key speaks for '{caller.agent_id}' and for '{caller.agent_id}.…' only"
        )
