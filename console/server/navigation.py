"""The pages of the menu, in their order: who sees each, and the letter after `g` that opens it."""

from dataclasses import dataclass
from typing import Final

from schemas.access.scopes import Scope

PREFIX: Final = "/console"
ASSETS: Final = f"{PREFIX}/assets"
"""Where styles and scripts are."""


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
    MenuEntry("orders", "/orders", "o"),
    MenuEntry("overview", "/overview", "v"),
    MenuEntry("alerts", "/alerts", "a"),
    MenuEntry("stops", "/stops", "s"),
    MenuEntry("intake", "/intake", "i", Scope.INTAKE),
    MenuEntry("webhooks", "/webhooks", "w", Scope.WEBHOOKS),
    MenuEntry("policies", "/policies", "p"),
    MenuEntry("flows", "/workflows", "f"),
    MenuEntry("reports", "/reports", "d"),
    MenuEntry("audit", "/audit", "l"),
    MenuEntry("staff", "/people", "u", Scope.ADMIN),
    MenuEntry("reference", "/docs", "h"),
    MenuEntry("check", "/check", "c", Scope.ADMIN),
)
"""Everything that has a page."""
