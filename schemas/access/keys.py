"""What the routes of keys are sent and answer: who may call the API, and as whom."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from runtime.rate import read_rate
from schemas.access.person import PersonName
from schemas.access.scopes import Scope
from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text
from schemas.core.whole_number import WholeNumber


def _rate(text: str) -> str:
    read_rate(text)
    return text


class KeyView(Answered):
    """A key, as people look at it; nothing here lets anybody in."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    key_id: str
    agent_id: str
    scopes: list[str]
    """Of a person's key: of what their roles may do only this; all of it where it names nothing."""
    user_id: str | None
    """The person whose it is."""
    is_login: bool
    """Whether it came of logging in."""
    label: str | None
    default_mode: str
    rate_limit: str | None
    created_at: Moment
    last_used_at: Moment | None
    """To the minute."""
    expires_at: Moment | None
    state: Literal["active", "expired", "revoked"]
    fingerprint: str
    """The first 12 hexadecimal digits of the key's SHA-256, by which who has the key knows it again."""


class KeyList(Answered):
    """Every key there is or was, by owner, the oldest first."""

    keys: list[KeyView]


class KeyAsked(Sent):
    """A key to be made."""

    agent_id: str = Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")
    """Whose it is: an agent, a person, a system."""
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    """What it may do."""
    label: Text | None = Field(default=None, min_length=1, max_length=64, pattern=r"^[^\r\n]*$")
    """What it is for."""
    default_mode: Literal["auto", "manual"] = "auto"
    """Who drives the tasks that are sent in with it and name no mode."""
    rate_limit: Annotated[str, AfterValidator(_rate)] | None = Field(default=None, max_length=64)
    """How often it may ask; the installation's own limit when not given."""
    expires_at: GivenMoment | None = None
    """When it ends; never, when not given."""
    by: PersonName | None = None
    """A label beside the key that makes it."""


class KeyMade(Succeeded):
    """A new key, shown this once."""

    key: str = Field(repr=False)
    """What its owner sends; only a hash of it is stored."""
    record: KeyView


class RevocationAsked(Sent):
    """Who lets a key in no more."""

    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""


class KeyRevoked(Succeeded):
    """A key that is let in no more."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was revoked before."""
    record: KeyView


class RotationAsked(Sent):
    """How long a key is let in beside the one that follows it."""

    overlap_seconds: WholeNumber = Field(default=86_400, ge=0, le=100_000 * 86_400)
    """0: the old key ends at once."""
    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""


class KeyRotated(Succeeded):
    """A key and the one that follows it, shown this once."""

    key: str = Field(repr=False)
    """What its owner sends from now on; only a hash of it is stored."""
    old: KeyView
    record: KeyView
