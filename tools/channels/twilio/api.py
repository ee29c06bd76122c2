"""Client of Twilio's REST API 2010-04-01, and the meaning of its error codes."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from runtime.mask import mask_text
from tools.channels.contract import (
    Accepted,
    ContactQuery,
    NotSent,
    Rejected,
    SendOutcome,
    Unknown,
    Unreachable,
)
from tools.channels.exchange import Exchange, HttpAnswer, retry_after_seconds
from tools.retry_after import moment_of

_ROOT: Final = "/2010-04-01/Accounts"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_LONGEST_EXCERPT: Final = 200
_ACCOUNT_SECONDS: Final = 300.0
_CREATED: Final = 201
_OK: Final = 200
NOT_FOUND: Final = 404
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
_PAGE: Final = 50
_EARLIER: Final = timedelta(seconds=30)
"""How much older than the attempt a resource may be and still be the attempt's: what a request takes at most."""
_CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""The same where the provider does not tell its time."""
_OPTED_OUT: Final = 21610
"""Whose number this is has answered STOP to this sender."""

_OF_THE_ACCOUNT: Final = frozenset({20003, 20005, 20006, 20403, 21611})
"""Authentication, a suspended account, a full queue: not sent, and no fault of this contact."""


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """The account that messages and calls are made with; the token is never shown."""

    sid: str
    token: str = field(repr=False)


class TwilioApi:
    """A client of one account's resources, safe to share between threads.

    Args:
        base_url: As `https://api.twilio.com`.
        account: Whose.
        setting: Where `base_url` was configured, named when it is wrong.
        max_connections: Requests that may be under way at once.

    Raises:
        ValueError: `base_url` is no http or https address.
    """

    def __init__(
        self, base_url: str, account: TwilioAccount, *, setting: str, max_connections: int = 32
    ) -> None:
        basic = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
        self._exchange = Exchange(
            base_url,
            setting=setting,
            headers={"Authorization": f"Basic {basic}"},
            max_connections=max_connections,
        )
        self._account = f"{_ROOT}/{quote(account.sid, safe='')}"

    def __repr__(self) -> str:
        """The address only."""
        return f"TwilioApi({self._exchange.base_url!r})"

    def create(
        self, resource: str, form: Sequence[tuple[str, str]], to: str, timeout_seconds: float
    ) -> SendOutcome:
        """Create a message or a call; the answer's `sid` is its id."""
        answer = self._exchange.ask(
            "POST",
            f"{self._account}/{resource}.json",
            timeout_seconds=timeout_seconds,
            body=urlencode(form).encode(),
            headers=_FORM,
        )
        if not isinstance(answer, HttpAnswer):
            return answer
        if answer.status not in {_OK, _CREATED}:
            return refusal_of(answer, to)
        sid = (answer.document() or {}).get("sid")
        if not isinstance(sid, str) or not sid:
            return Unknown(f"the provider answered {answer.status} without a sid")
        return Accepted(sid, duplicate=False)

    def fetch(self, resource: str, sid: str, timeout_seconds: float) -> HttpAnswer | Unreachable:
        """Fetch a message or call by its sid: an answer of 200, or of 404 with Twilio's own code."""
        answer = self._exchange.ask(
            "GET",
            f"{self._account}/{resource}/{quote(sid, safe='')}.json",
            timeout_seconds=timeout_seconds,
        )
        if not isinstance(answer, HttpAnswer):
            return Unreachable(answer.reason)
        known = answer.status == NOT_FOUND and isinstance((answer.document() or {}).get("code"), int)
        if answer.status == _OK or known:
            return answer
        return Unreachable(f"the provider answered {answer.status}")

    def sent_since(
        self, resource: str, listed_as: str, number: str, sought: ContactQuery, timeout_seconds: float
    ) -> list[str] | Unreachable:
        """Return the sids of the messages or calls made to this number since the attempt began."""
        query = urlencode([("To", number), ("PageSize", str(_PAGE))])
        answer = self._exchange.ask(
            "GET", f"{self._account}/{resource}.json?{query}", timeout_seconds=timeout_seconds
        )
        if not isinstance(answer, HttpAnswer):
            return Unreachable(answer.reason)
        listed = (answer.document() or {}).get(listed_as)
        if answer.status != _OK or not isinstance(listed, list):
            return Unreachable(f"the provider answered {answer.status} without a list")
        # The attempt's age is a duration, so it counts back from any clock; two machines' clocks may differ.
        answered_at = moment_of(answer.date) if answer.date else None
        age = timedelta(seconds=sought.age_seconds)
        since = sought.begun_at - _CLOCKS_DIFFER if answered_at is None else answered_at - age - _EARLIER
        return [
            str(entry["sid"])
            for entry in listed
            if isinstance(entry, dict)
            and isinstance(entry.get("sid"), str)
            and str(entry.get("direction")).startswith("outbound")
            and _made_at_or_after(entry.get("date_created"), since)
        ]

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()


def refusal_of(answer: HttpAnswer, to: str) -> NotSent | Rejected | Unknown:
    """Return the send outcome that an error answer means, by Twilio's error code and the status.

    A 429 is answered before anything is done. A 4xx with a code is a refusal: for good, or of an account that
    may not send now. A 5xx leaves it open, and so does a 4xx that is not Twilio's.
    """
    document: Mapping[str, object] = answer.document() or {}
    code, message = document.get("code"), document.get("message")
    said = mask_text(message.replace(to, "****"))[:_LONGEST_EXCERPT] if isinstance(message, str) else ""
    reason = (
        f"the provider answered {answer.status}, code {code if isinstance(code, int) else 'none'}: {said}"
    )
    if answer.status == _TOO_MANY_REQUESTS:
        return NotSent(reason, retry_after_seconds(answer.retry_after))
    if answer.status >= _SERVER_ERROR or not isinstance(code, int):
        return Unknown(reason)
    if code in _OF_THE_ACCOUNT:
        return NotSent(reason, _ACCOUNT_SECONDS)
    return Rejected(reason, opted_out=code == _OPTED_OUT)


def _made_at_or_after(value: object, since: datetime) -> bool:
    """Whether a resource is not older; one whose date cannot be read counts, so that none is overlooked."""
    made = moment_of(str(value))
    return made is None or made >= since
