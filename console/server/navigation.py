"""The pages of the menu, in their order: who sees each, and the letter after `g` that opens it."""

from dataclasses import dataclass
from typing import Final

from schemas.access.scopes import Scope

PREFIX: Final = "/console"


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A page of the menu; its words are under `server.menu.NAME`."""

    name: str
    path: str
    letter: str
    scope: Scope = Scope.READ

    @property
    def address(self) -> str:
        """Where the page is."""
        return PREFIX + self.path


MENU: Final = (
    MenuEntry("reviews", "/reviews", "r", Scope.REVIEWS),
    MenuEntry("check", "/check", "c", Scope.ADMIN),
)
"""Everything that has a page."""
