"""What the tests ask of each messenger."""

from dataclasses import dataclass, field
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True)
class Sent:
    """A callback as it goes over HTTP."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """As the client of the tests takes it."""
        return {"content": self.content, "headers": self.headers, "params": self.params}


class Messenger(Protocol):
    """One messenger, with one app."""

    @property
    def name(self) -> str:
        """As in the address."""

    @property
    def settings(self) -> dict[str, str]:
        """What the installation is told of the app."""

    @property
    def impostor(self) -> Self:
        """Somebody who knows everything but the secret of the signature."""

    @property
    def stranger(self) -> Self:
        """The same app's callbacks as another company would send them."""

    def pressed(self, value: str, operator: str, *, at: float, event: int = 1) -> Sent:
        """Somebody pressed a button that carries this."""

    def written(self, words: str, operator: str, *, at: float) -> Sent:
        """Somebody wrote to the bot."""

    def shown(self, response: Any) -> tuple[str, bool]:
        """What whoever pressed sees, and whether nobody has the buttons any more."""
