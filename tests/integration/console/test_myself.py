"""One's own page, and another password."""

from schemas.access.roles import Role
from tasks.access.people import Invitation, accept_invitation, add_person
from tasks.access.sessions import begin_session, find_session
from tests.support.console.client import ConsoleClient, words_on

OLD, NEW = "correct horse battery", "another horse battery"


def test_a_password_is_changed_and_every_other_login_ends(console: ConsoleClient) -> None:
    database = console.house.database
    invited = add_person(database, "wangfang", "王芳", [Role.REVIEWER], by="admin")
    assert isinstance(invited, Invitation)
    assert accept_invitation(database, "wangfang", invited.code, OLD)
    here, elsewhere = (begin_session(database, "wangfang", OLD) or "" for _ in range(2))
    console.cookies["wangfang"] = here
    assert "reviewer" in words_on(console.get("/me", "wangfang"))
    wrong = console.post("/me/password", "wangfang", password="no", new_password=NEW, again=NEW)
    assert "This is not the password" in words_on(wrong)
    assert NEW not in wrong.text
    differs = console.post("/me/password", "wangfang", password=OLD, new_password=NEW, again=OLD)
    assert "not typed the same twice" in words_on(differs)
    short = console.post("/me/password", "wangfang", password=OLD, new_password="short", again="short")
    assert "12 to 128 characters" in words_on(short)
    done = console.post("/me/password", "wangfang", password=OLD, new_password=NEW, again=NEW)
    assert "The password is changed" in words_on(done)
    assert find_session(database, elsewhere) is None
    assert find_session(database, here) is not None
    assert begin_session(database, "wangfang", NEW) is not None
