"""A definition, and what the actions in it come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.workflow.reference_state import Came


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What chance lets an action come to."""

    n: int = 0
    code: str = ""
    fails_at: int | None = None
    """The element or repetition that fails; none: every one, where there is a code."""
    failing_tries: int | None = None
    """After so many tries the failure passes; none: it never does."""

    def came(self, element: int | None, tries: int) -> Came:
        """What a try comes to."""
        if self.code and (self.fails_at is None or self.fails_at == element):
            if self.failing_tries is None:
                return Came(code=self.code)
            if tries < self.failing_tries:
                return Came(code=self.code, passes=True)
        return Came(output={"n": self.n + (element or 0)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A definition, and what its actions come to."""

    body: Mapping[str, Any]
    plans: Mapping[str, Plan]

    def came(self, node: str, element: int | None, tries: int) -> Came:
        """What a try of an action comes to."""
        return self.plans[node].came(element, tries)
