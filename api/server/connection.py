"""HTTP/1.1 on one connection: what cannot be read as a request is refused in the one form of errors."""

from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.server.errors import STATUS, body_of
from api.server.refusal import Refusal
from api.server.request_id import HEADER
from runtime.ids import Prefix, new_id
from schemas.core.error import Code

_SAID: Final = (
    "this cannot be read as HTTP/1.1: its request line, a header or the length of its body is malformed"
)


class Connection(H11Protocol):
    """uvicorn's protocol, which answers such a request in plain text and fails where an answer is under way."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Refuse what came, and end the connection: where the next request would begin is unknown."""
        if self.cycle is not None:
            # Whoever works on the request the body belonged to has nobody left to answer.
            self.cycle.disconnected = True
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self._refuse(Refusal(Code.BAD_REQUEST, _SAID))
        self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        request_id = new_id(Prefix.REQUEST)
        body = body_of(refusal, request_id).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            HEADER: request_id,
        }
        answer = h11.Response(
            status_code=STATUS[refusal.code], headers=list(headers.items()), reason=b"Bad Request"
        )
        for part in (answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(part) or b"")
