"""A provider of our own contract that takes a contact at once and answers when the test lets it."""

import json
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from tests.support.providers.server import Answered, Asked, Fault

_FAR_BEYOND: Final = 600.0


@dataclass
class HeldProvider:
    """Counts what it was sent and what it was asked, by key."""

    faults: deque[Fault] = field(default_factory=deque)
    sent: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    answers: threading.Event = field(default_factory=threading.Event)

    def answer(self, asked: Asked) -> Answered:
        """Take a contact, or say that it was taken."""
        if asked.method == "GET":
            key = unquote(asked.target.rpartition("/")[2])
            self.asked[key] += 1
            return _answered(200, key, result=None)
        key = str(json.loads(asked.body)["key"])
        self.sent[key] += 1
        self.answers.wait(_FAR_BEYOND)
        return _answered(202, key)


def _answered(status: int, key: str, **more: object) -> Answered:
    document = {"key": key, "provider_id": f"call of {key}", **more}
    return Answered(status, json.dumps(document).encode(), {"Content-Type": "application/json"})
