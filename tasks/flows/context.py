"""What general work needs in one process: the way to other systems; nothing is made before it is used."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from runtime.settings import WEBHOOK_SECRET, Settings
from storage.core.database import Database
from tools.http_requests.rules import HttpRules
from tools.http_requests.sender import HttpSender


@dataclass(frozen=True)
class FlowsContext:
    """The ways of general work out of this process."""

    database: Database
    open_http: Callable[[], HttpSender]
    callback_base_url: str
    """Where our API is reached by who calls back."""
    webhook_secrets: frozenset[str] = frozenset()
    """The names of the secrets that webhooks are signed with; the API alone is given those."""

    @classmethod
    def of_settings(cls, settings: Settings, database: Database) -> Self:
        """The ways out as this installation has them."""
        return cls(
            database,
            lambda: HttpSender(HttpRules.read(settings.config_folder, settings.request_secrets)),
            settings.callback_base_url,
            frozenset(variable.removeprefix(WEBHOOK_SECRET) for variable in settings.webhook_secrets),
        )

    @cached_property
    def http(self) -> HttpSender:
        """What sends HTTP requests.

        Raises:
            PolicyFileError: `config/http.yaml` cannot be used; the message names its place.
        """
        return self.open_http()
