"""Who does what a request asks for: the owner of its key; the name that the caller gives stands beside it."""

from typing import Annotated

from fastapi import Depends, Query

from api.server.services import Caller
from runtime.mask import mask_text
from runtime.principal import label_principal
from schemas.access.person import LONGEST_NAME, PersonName
from storage.access.keys import Key


def actor(caller: Key, label: str | None) -> str:
    """The name that history keeps of who did it, from now on with this label on every audit line."""
    label_principal(label and mask_text(label)[:LONGEST_NAME])
    return caller.agent_id


async def actor_of(
    caller: Caller,
    by: Annotated[
        PersonName | None,
        Query(description="A label that history keeps beside the key; who did it is the key's owner."),
    ] = None,
) -> str:
    """The same, for routes whose body has no `by`."""
    return actor(caller, by)


Actor = Annotated[str, Depends(actor_of)]
