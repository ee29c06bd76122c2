"""Who may call as a part of the API."""

from types import MappingProxyType
from typing import Final

from api.access import keys
from api.server.registration import Registration

ACCESS: Final = Registration(
    tags=MappingProxyType({"keys": "Who may call, and as whom: keys made, followed by others, revoked."}),
    keyed=(keys.router,),
)
