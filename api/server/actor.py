"""Who does what a request asks for: the person that the caller names, else the key's agent."""

from typing import Annotated

from fastapi import Depends, Query

from api.server.services import Caller
from schemas.access.person import PersonName


async def actor_of(
    caller: Caller,
    by: Annotated[
        PersonName | None,
        Query(description="Who does it, as history keeps it; the key's agent when not named."),
    ] = None,
) -> str:
    """The name that history keeps of who did it, for routes whose body has no `by`."""
    return by or caller.agent_id


Actor = Annotated[str, Depends(actor_of)]
