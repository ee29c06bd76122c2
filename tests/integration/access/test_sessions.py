"""Who logs in to the console stays so for a while, and no longer than they may (CONSOLE.md §3)."""

import pytest

from schemas.access.roles import Role
from storage.core.database import Database
from tasks.access.people import Invitation, accept_invitation, add_person, change_person, invite_person
from tasks.access.sessions import ConsoleSession, begin_session, end_session, find_session
from tests.support.probe import Probe

PASSWORD = "correct horse battery"


@pytest.fixture
def person(database: Database) -> str:
    """The login of a reviewer with a password."""
    invited = add_person(database, "wangfang", "王芳", [Role.REVIEWER], by="admin")
    assert isinstance(invited, Invitation)
    assert accept_invitation(database, "wangfang", invited.code, PASSWORD)
    return "wangfang"


def cookie_of(database: Database, login: str) -> str:
    cookie = begin_session(database, login, PASSWORD)
    assert cookie is not None
    return cookie


def session_of(database: Database, cookie: str) -> ConsoleSession:
    found = find_session(database, cookie)
    assert found is not None
    return found


def test_a_cookie_lets_in_the_person_with_what_their_roles_may(database: Database, person: str) -> None:
    session = session_of(database, cookie_of(database, person))
    assert (session.login, session.name, session.scopes) == (
        "wangfang",
        "王芳",
        frozenset({"read", "reviews"}),
    )


def test_a_wrong_password_lets_nobody_in(database: Database, person: str) -> None:
    assert begin_session(database, person, "another password") is None
    assert begin_session(database, "nobody", PASSWORD) is None


def test_a_cookie_that_nobody_was_given_lets_nobody_in(database: Database, person: str) -> None:
    cookie = cookie_of(database, person)
    assert [find_session(database, given) for given in ("", cookie[:-1], cookie * 2)] == [None] * 3


def test_neither_cookie_nor_token_is_stored(database: Database, person: str) -> None:
    cookie = cookie_of(database, person)
    token = session_of(database, cookie).form_token
    (row,) = Probe(database).values("SELECT s::text FROM console_sessions s")
    assert cookie not in row
    assert token not in row


def test_two_sessions_of_a_person_have_different_tokens(database: Database, person: str) -> None:
    tokens = {session_of(database, cookie_of(database, person)).form_token for _ in range(2)}
    assert len(tokens) == 2


@pytest.mark.parametrize(
    ("aged", "is_in"),
    [
        ("used_at = used_at - interval '59 minutes'", True),
        ("used_at = used_at - interval '61 minutes'", False),
        ("created_at = created_at - interval '11 hours 59 minutes'", True),
        ("created_at = created_at - interval '12 hours 1 minute'", False),
    ],
)
def test_a_session_ends_after_an_idle_hour_and_after_twelve(
    database: Database, person: str, aged: str, is_in: bool
) -> None:
    cookie = cookie_of(database, person)
    Probe(database).write(f"UPDATE console_sessions SET {aged}")
    assert (find_session(database, cookie) is not None) is is_in


def test_who_does_something_is_idle_from_then_on(database: Database, person: str) -> None:
    cookie = cookie_of(database, person)
    for _ in range(2):
        Probe(database).write("UPDATE console_sessions SET used_at = used_at - interval '40 minutes'")
        assert find_session(database, cookie) is not None


def test_who_logs_out_is_out_and_the_audit_log_has_both(database: Database, person: str) -> None:
    cookie = cookie_of(database, person)
    end_session(database, session_of(database, cookie))
    assert find_session(database, cookie) is None
    lines = Probe(database).values(
        "SELECT what FROM system_audit WHERE what LIKE 'session.%%' ORDER BY entry_id"
    )
    assert list(lines) == ["session.begun", "session.ended"]


def test_who_is_disabled_is_out_at_once(database: Database, person: str) -> None:
    cookie = cookie_of(database, person)
    change_person(database, person, by="admin", disabled=True)
    assert find_session(database, cookie) is None
    change_person(database, person, by="admin", disabled=False)
    assert find_session(database, cookie) is None


def test_a_new_password_ends_the_sessions_of_before(database: Database, person: str) -> None:
    cookie = cookie_of(database, person)
    invited = invite_person(database, person, by="admin")
    assert isinstance(invited, Invitation)
    accept_invitation(database, person, invited.code, "a new password of theirs")
    assert find_session(database, cookie) is None


def test_what_roles_may_is_asked_at_each_moment(database: Database, person: str) -> None:
    cookie = cookie_of(database, person)
    change_person(database, person, by="admin", roles=[Role.VIEWER])
    assert session_of(database, cookie).scopes == {"read"}


def test_sessions_that_have_ended_go_with_the_next_login(database: Database, person: str) -> None:
    cookie_of(database, person)
    Probe(database).write("UPDATE console_sessions SET used_at = used_at - interval '2 hours'")
    cookie_of(database, person)
    assert list(Probe(database).values("SELECT count(*) FROM console_sessions")) == [1]
