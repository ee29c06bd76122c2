"""What the routes of a person's accounts in messengers answer."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from schemas.core.form import Answered, Moment, Succeeded

ImProvider = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=r"^[a-z]+$")]
"""The messenger: `feishu`, `wecom` or `dingtalk`."""


class ImCodeMade(Succeeded):
    """A code that binds the account which sends it to the bot: shown this once."""

    code: str = Field(repr=False)
    """Sent to the bot as it stands, alone or among other words; used up by that."""
    expires_at: Moment


class ImIdentityView(Answered):
    """An account in a messenger: what it answers, the person answers."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    identity_id: str
    provider: str
    operator_id: str
    """As the messenger names the account."""
    bound_at: Moment


class ImIdentityList(Answered):
    """The accounts of a person, the oldest first."""

    identities: list[ImIdentityView]
