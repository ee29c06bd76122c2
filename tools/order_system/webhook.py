"""Another order system behind one signed address; our protocol is documented in docs/order_system.md."""

import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

import httpx2

from tools.channels.contract import NotSent, Unknown
from tools.channels.exchange import Exchange, HttpAnswer, retry_after_seconds
from tools.network.address import AddressRefused, read_url
from tools.order_system.answer import offered_of, performed_of, refused_of
from tools.order_system.contract import (
    ActionUnclear,
    NotPerformed,
    Offered,
    OrderSystemRequest,
    PerformOutcome,
    SlotsUnknown,
)
from tools.webhooks.signature import signed_headers

ACTION: Final = "order_action.requested"
SLOTS: Final = "order_slots.requested"

_SLOTS_SECONDS: Final = 3.0
_NOT_PERFORMED: Final = frozenset({408, 425, 429, 503})
"""The contract: the order system answers these before it has done anything."""
_CONTINUES_BELOW: Final = 300


class WebhookOrderSystem:
    """An `OrderSystem` over one pooled HTTP client.

    Args:
        url: The one address that everything is sent to.
        secret: Signs what is sent, as Standard Webhooks has it: `whsec_` and base64.
        most_at_once: Calls that may be under way at the same time.

    Raises:
        ValueError: the address or the secret cannot be used; names the setting, shows neither.
    """

    def __init__(self, url: str, secret: str, *, most_at_once: int = 32) -> None:
        try:
            # Who configures the installation is trusted with where it leads; only the form is looked at.
            read_url(url)
        except AddressRefused as error:
            raise ValueError(f"order_system_url: {error}") from error
        try:
            signed_headers((secret,), "check", 0, b"")
        except ValueError as error:
            raise ValueError("order_system_secret must be whsec_ and base64") from error
        self._secret = secret
        self._exchange = Exchange(
            url, setting="order_system_url", headers={"User-Agent": "unpend"}, max_connections=most_at_once
        )

    def __repr__(self) -> str:
        """The order system's address only."""
        return f"WebhookOrderSystem({self._exchange.base_url!r})"

    @property
    def remote(self) -> bool:
        """True: it is another system."""
        return True

    def perform(self, request: OrderSystemRequest) -> PerformOutcome:
        """Request one action; see `contract` for the meaning of each outcome."""
        data = {
            "key": request.key,
            "action_type": request.action_type,
            "order_id": request.order_id,
            "task_id": request.task_id,
            "parameters": dict(request.parameters),
        }
        answer = self._post(ACTION, data, request.key, request.timeout_seconds)
        seconds = request.timeout_seconds
        return _outcome(answer) if isinstance(answer, HttpAnswer) else _unanswered(answer, seconds)

    def slots(self, region: str, first: date, last: date) -> Offered | SlotsUnknown:
        """Request the free slots; a failure is a return value."""
        data = {"region": region, "from": first, "to": last}
        answer = self._post(SLOTS, data, f"slots_{uuid.uuid4().hex}", _SLOTS_SECONDS)
        if not isinstance(answer, HttpAnswer):
            return SlotsUnknown(answer.reason)
        if answer.status != httpx2.codes.OK:
            return SlotsUnknown(f"the order system answered {answer.status}")
        offered = offered_of(answer.document())
        return offered or SlotsUnknown("the order system's answer cannot be read")

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()

    def _post(
        self, kind: str, data: Mapping[str, object], message_id: str, timeout_seconds: float
    ) -> HttpAnswer | NotSent | Unknown:
        """One signed request; the same message is the same bytes whenever it is sent."""
        body = json.dumps(
            {"type": kind, "data": data}, ensure_ascii=False, sort_keys=True, default=_plain
        ).encode()
        headers = signed_headers((self._secret,), message_id, int(time.time()), body)
        return self._exchange.ask(
            "POST",
            "",
            timeout_seconds=timeout_seconds,
            body=body,
            headers={**headers, "Idempotency-Key": message_id, "Content-Type": "application/json"},
        )


def _outcome(answer: HttpAnswer) -> PerformOutcome:
    if httpx2.codes.OK <= answer.status < _CONTINUES_BELOW:
        return performed_of(answer.document())
    reason = f"the order system answered {answer.status}"
    if answer.status in _NOT_PERFORMED:
        return NotPerformed(reason, retry_after_seconds(answer.retry_after))
    if answer.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return ActionUnclear(reason)
    return refused_of(answer.status, answer.document())


def _unanswered(answer: NotSent | Unknown, seconds: float) -> PerformOutcome:
    # The exchange speaks of "the provider" and shows the address; both say too little or too much here.
    if isinstance(answer, NotSent):
        return NotPerformed("the order system could not be reached")
    return ActionUnclear(f"the order system did not answer within {seconds:g} s, or the connection broke")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} cannot be sent")
