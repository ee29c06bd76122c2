"""Twilio's own client, run as a process: `python -m tests.support.providers.official_twilio`, JSON in, JSON out.

A process of its own, because the client warns where our tests allow no warning.
"""

import json
import sys
from importlib import import_module
from typing import Any

# It publishes no types.
transport = import_module("twilio.http.http_client")
validation = import_module("twilio.request_validator")
rest = import_module("twilio.rest")


def local(address: str) -> Any:
    """An HTTP client that sends what is meant for Twilio to this machine."""
    http = transport.TwilioHttpClient()
    send = http.request

    def request(method: str, url: str, *args: Any, **options: Any) -> Any:
        return send(method, url.replace("https://api.twilio.com", address), *args, **options)

    http.request = request
    return http


def signature(asked: dict[str, Any]) -> str:
    """The signature of a callback."""
    validator = validation.RequestValidator(asked["token"])
    signed: str = validator.compute_signature(asked["url"], dict(asked["form"]), asked["algorithm"])
    return signed


def exchanged(asked: dict[str, Any]) -> list[Any]:
    """What the client makes of a message, a call, and of asking after both."""
    client = rest.Client(asked["sid"], asked["token"], http_client=local(asked["address"]))
    message = client.messages.create(
        to=asked["number"], from_="+15005550006", body="您好", status_callback="https://x"
    )
    call = client.calls.create(to=asked["number"], from_="+15005550006", twiml="<Response/>")
    return [
        client.messages(str(message.sid)).fetch().status,
        [one.sid for one in client.messages.list(to=asked["number"], limit=5)] == [message.sid],
        client.calls(str(call.sid)).fetch().direction,
        [one.sid for one in client.calls.list(to=asked["number"], limit=5)] == [call.sid],
    ]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(signature(asked) if "form" in asked else exchanged(asked), sys.stdout)
