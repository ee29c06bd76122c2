"""The simulated customers' provider, as a test or a run of faults speaks to it: its ledger, and its faults."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

_SECONDS: Final = 180
"""Longer than a busy provider takes to answer."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The channel of a running fleet."""

    address: str
    token: str

    def ledger(self) -> dict[str, Any]:
        """Every request received and everything it did, counted by the provider itself."""
        found: dict[str, Any] = self._ask("GET", "/v1/ledger")
        return found

    def arm(self, fault: object, **limits: object) -> None:
        """Let this go wrong with the requests to come: those of a `task_id` or `channel`, so many `requests`."""
        self._ask("POST", "/v1/faults", {"fault": fault, **limits})

    def disarm(self) -> None:
        """Let nothing go wrong any more."""
        self._ask("DELETE", "/v1/faults")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address of our own run file
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - the same
            return json.load(response)
