"""Who may call as a part of the API: keys, people, logging in."""

from types import MappingProxyType
from typing import Final

from api.access import im_identities, keys, logins, people
from api.server.registration import Registration

ACCESS: Final = Registration(
    tags=MappingProxyType(
        {
            "keys": "Who may call, and as whom: keys made, followed by others, revoked.",
            "access": "People with their roles; logging in and out.",
        }
    ),
    keyed=(keys.router, people.router, logins.router, im_identities.router),
    open=(logins.open_router,),
)
