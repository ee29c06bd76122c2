"""The simulated customer's provider, as a test speaks to it: its ledger, and the faults it is told to make."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any


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
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=180) as response:
            return json.load(response)
