"""HEAD is answered as GET is: the same status and headers, and no body (RFC 9110 §9.3.2)."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NO_BODY: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}


class Head:
    """ASGI middleware for which every route that takes GET takes HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; of the answer to HEAD only the beginning is sent, which ends a stream as well."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_beginning(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send(_NO_BODY)

        # Not in a copy: the router writes the route it found into the scope, for whoever measures.
        scope["method"] = "GET"
        await self._app(scope, receive, send_beginning)
