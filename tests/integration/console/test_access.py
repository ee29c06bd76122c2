"""Who is let in to the console, and what no other site can do there (CONSOLE.md §3)."""

import pytest

from console.server.headers import CONTENT_SECURITY_POLICY
from console.server.navigation import MENU
from schemas.access.roles import Role, scopes_of
from tasks.access.people import Invitation, accept_invitation, add_person
from tests.support.console.client import ORIGIN, ConsoleClient, words_on
from tests.support.probe import Probe

PASSWORD = "correct horse battery"


@pytest.fixture
def wangfang(console: ConsoleClient) -> str:
    """A reviewer with a password."""
    invited = add_person(console.house.database, "wangfang", "王芳", [Role.REVIEWER], by="admin")
    assert isinstance(invited, Invitation)
    assert accept_invitation(console.house.database, "wangfang", invited.code, PASSWORD)
    return "wangfang"


def test_who_is_not_logged_in_is_asked_to_and_comes_back(console: ConsoleClient, wangfang: str) -> None:
    asked = console.get("/reviews?x=1")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/console/login?next=%2Fconsole%2Freviews%3Fx%3D1"
    let_in = console.call(
        "POST",
        "/login",
        data={"next": "/console/reviews?x=1", "login": wangfang, "password": PASSWORD},
        headers={"Origin": ORIGIN},
    )
    assert let_in.status_code == 303
    assert let_in.headers["location"] == "/console/reviews?x=1"
    cookie = let_in.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_login_never_leads_to_another_site(console: ConsoleClient, wangfang: str) -> None:
    for elsewhere in (
        "https://evil.example/console/",
        "//evil.example/console/",
        "/other",
        "/console/\\evil",
    ):
        let_in = console.call(
            "POST",
            "/login",
            data={"next": elsewhere, "login": wangfang, "password": PASSWORD},
            headers={"Origin": ORIGIN},
        )
        assert let_in.headers["location"] == "/console/"


def test_a_wrong_password_says_so_beside_the_field_and_keeps_the_login(
    console: ConsoleClient, wangfang: str
) -> None:
    page = console.call(
        "POST", "/login", data={"login": wangfang, "password": "another one"}, headers={"Origin": ORIGIN}
    )
    assert page.status_code == 422
    assert "do not belong together" in words_on(page)
    assert 'value="wangfang"' in page.text
    assert "another one" not in page.text


def test_a_login_is_tried_five_times_a_minute(console: ConsoleClient) -> None:
    tries = [
        console.call("POST", "/login", data={"login": "nobody", "password": "x"}, headers={"Origin": ORIGIN})
        for _ in range(6)
    ]
    assert [page.status_code for page in tries] == [422] * 5 + [429]


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_form_of_another_site_changes_nothing(console: ConsoleClient, headers: dict[str, str]) -> None:
    answer = console.call(
        "POST", "/logout", "reviewer", data={"token": console.token_of("reviewer")}, headers=headers
    )
    assert answer.status_code == 403
    assert console.get("/reviews", "reviewer").status_code == 200


def test_a_form_without_the_token_of_its_session_changes_nothing(console: ConsoleClient) -> None:
    for token in ("", console.token_of("manager")):
        answer = console.call(
            "POST", "/logout", "reviewer", data={"token": token}, headers={"Origin": ORIGIN}
        )
        assert answer.status_code == 403
    assert console.get("/reviews", "reviewer").status_code == 200


def test_who_logs_out_is_let_in_no_more(console: ConsoleClient) -> None:
    assert console.post("/logout", "reviewer", follow=False).headers["location"] == "/console/login"
    assert console.get("/reviews", "reviewer").status_code == 303
    ended = "SELECT count(*) FROM system_audit WHERE what = 'session.ended' AND actor = 'reviewer'"
    assert Probe(console.house.database).value(ended) == 1


def test_what_a_role_may_not_open_is_hidden_and_refused(console: ConsoleClient) -> None:
    assert console.get("/reviews", "viewer").status_code == 403
    assert "/console/reviews" not in console.get("/nowhere", "viewer").text
    assert "/console/reviews" in console.get("/nowhere", "reviewer").text


def test_each_role_opens_what_its_menu_has_and_nothing_else(console: ConsoleClient) -> None:
    for role in Role:
        menu = console.get("/nowhere", role.value).text
        for entry in MENU:
            allowed = entry.scope.value in scopes_of([role.value])
            answer = console.get(entry.path, role.value)
            assert (answer.status_code in (200, 303)) is allowed, (role, entry.path, answer.status_code)
            assert answer.status_code in (200, 303, 403)
            assert (f'href="{entry.address}" data-letter' in menu) is allowed


def test_nothing_foreign_is_loaded_or_run(console: ConsoleClient) -> None:
    for path, login in (("/login", None), ("/reviews", "reviewer"), ("/nowhere", "reviewer")):
        page = console.get(path, login)
        assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert page.headers["cache-control"] == "no-store"
        assert "style=" not in page.text
        assert "<style" not in page.text
        assert "<script>" not in page.text
        assert " on" + "click" not in page.text


def test_a_style_is_asked_for_again_by_its_tag_and_a_page_is_kept_nowhere(console: ConsoleClient) -> None:
    style = console.get("/assets/style/parts.css")
    assert style.headers["cache-control"] == "no-cache"
    again = console.call("GET", "/assets/style/parts.css", headers={"If-None-Match": style.headers["etag"]})
    assert again.status_code == 304
    assert console.get("/login").headers["cache-control"] == "no-store"


def test_a_page_that_there_is_not_says_so_in_the_language_of_the_person(console: ConsoleClient) -> None:
    assert "There is no such page" in words_on(console.get("/nowhere", "reviewer"))
    chinese = console.get("/nowhere", "reviewer", language="zh")
    assert chinese.status_code == 404
    assert "没有这一页" in words_on(chinese)
    assert '<html lang="zh-CN"' in chinese.text


def test_the_language_and_the_theme_are_kept_by_the_browser(console: ConsoleClient) -> None:
    chosen = console.call(
        "POST",
        "/choice",
        data={"language": "en", "theme": "dark", "next": "/console/reviews"},
        headers={"Origin": ORIGIN},
    )
    assert chosen.headers["location"] == "/console/reviews"
    assert [cookie.partition(";")[0] for cookie in chosen.headers.get_list("set-cookie")] == [
        "unpend_language=en",
        "unpend_theme=dark",
    ]
