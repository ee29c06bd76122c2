"""What the routes of people and of logging in are sent and answer."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SecretStr, StrictBool

from schemas.access.roles import Role
from schemas.core.form import Answered, Moment, Sent, Succeeded, Text

LoginName = Annotated[str, Field(min_length=2, max_length=32, pattern=r"^[a-z0-9][a-z0-9._-]+$")]
"""The name a person logs in with, and by which history names them."""
DisplayName = Annotated[Text, Field(min_length=1, max_length=64, pattern=r"^\S(?:[^\r\n]*\S)?$")]
"""The name that others read."""
Password = Annotated[SecretStr, Field(min_length=12, max_length=128)]
"""At least 12 characters, of any kind (NIST SP 800-63B §3.1.1: length, and no rules of composition)."""
Attempt = Annotated[SecretStr, Field(min_length=1, max_length=128)]
"""What is compared with a password or a code."""


class PersonView(Answered):
    """A person; nothing here lets anybody in."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    user_id: str
    login: str
    name: str
    roles: list[str]
    disabled: bool
    has_password: bool
    code_expires_at: Moment | None
    """Until when they can set a password with the code they were given; none where no code waits."""
    created_at: Moment
    last_login_at: Moment | None


class PersonList(Answered):
    """Everybody there is or was, by login."""

    people: list[PersonView]


class PersonAsked(Sent):
    """A person to be added."""

    login: LoginName
    """Never given to another afterwards: history names people by it."""
    name: DisplayName
    roles: list[Role] = Field(min_length=1, max_length=len(Role))


class PersonChanged(Sent):
    """What is to be changed of a person; what is not given stays."""

    name: DisplayName | None = None
    roles: list[Role] | None = Field(default=None, min_length=1, max_length=len(Role))
    disabled: StrictBool | None = None
    """A disabled person is let in no more, by none of their keys; what they did stays on record."""


class PersonInvited(Succeeded):
    """A person, and the code with which they set their password once: shown this once."""

    person: PersonView
    code: str = Field(repr=False)


class LoginAsked(Sent):
    """A login and its password."""

    login: Annotated[Text, Field(min_length=1, max_length=32)]
    password: Attempt


class LoggedIn(Succeeded):
    """A key for 12 hours; shown this once."""

    access_token: str = Field(repr=False)
    """Sent as `Authorization: Bearer`."""
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - no secret: the name of a scheme
    expires_at: Moment
    person: PersonView


class InvitationAccepted(Sent):
    """The code a person was given, and the password they choose."""

    login: Annotated[Text, Field(min_length=1, max_length=32)]
    code: Attempt
    password: Password


class PasswordChanged(Sent):
    """A person's password, and the one to come."""

    password: Attempt
    new_password: Password


class CallerView(Answered):
    """Who is asking, and what they may do."""

    agent_id: str
    """By this name history keeps what they do."""
    key_id: str
    scopes: list[str]
    person: PersonView | None
    """Where the key is a person's."""
