"""The pages of people: added, changed, disabled, invited (CONSOLE.md §5)."""

import re

import httpx2
import pytest

from schemas.access.roles import Role
from tasks.access.people import accept_invitation, find_person
from tests.support.console.client import ConsoleClient, words_on

PASSWORD = "correct horse battery"


@pytest.fixture
def staff(console: ConsoleClient) -> ConsoleClient:
    """An administrator and a manager are logged in."""
    console.add_person("zhao", Role.ADMIN)
    console.add_person("li", Role.MANAGER)
    return console


def test_who_is_added_sets_a_password_with_the_code_that_is_shown_once(staff: ConsoleClient) -> None:
    added = staff.post("/people", "zhao", login="wangfang", name="王芳", roles=["reviewer", "viewer"])
    assert added.status_code == 200
    assert accept_invitation(staff.house.database, "wangfang", code := _code_on(added), PASSWORD)
    assert code not in staff.get("/people/wangfang", "zhao").text
    person = find_person(staff.house.database, "wangfang")
    assert person is not None
    assert set(person.roles) == {"reviewer", "viewer"}


def test_a_fault_stands_beside_its_field_and_what_was_typed_stays(staff: ConsoleClient) -> None:
    answer = staff.post("/people", "zhao", login="Wang Fang", name="<script>alert(1)</script>")
    assert answer.status_code == 422
    assert "2 to 32 small letters" in words_on(answer)
    assert "Choose at least one role." in words_on(answer)
    assert 'value="Wang Fang"' in answer.text
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


def test_a_login_that_is_taken_is_refused(staff: ConsoleClient) -> None:
    answer = staff.post("/people", "zhao", login="li", name="Another", roles="viewer")
    assert answer.status_code == 422
    assert "is or was somebody's already" in words_on(answer)


def test_who_is_disabled_is_logged_out_at_once(staff: ConsoleClient) -> None:
    assert staff.get("/reviews", "li").status_code == 200
    shown = staff.post("/people/li", "zhao", do="change", name="李", roles="reviewer", disabled="1")
    assert "Disabled" in words_on(shown)
    assert staff.get("/reviews", "li").status_code == 303
    person = find_person(staff.house.database, "li")
    assert person is not None
    assert (person.name, list(person.roles), person.disabled) == ("李", ["reviewer"], True)


def test_nobody_takes_the_role_of_administrator_from_themselves(staff: ConsoleClient) -> None:
    answer = staff.post("/people/zhao", "zhao", do="change", name="zhao", roles="viewer")
    assert answer.status_code == 409
    assert "Nobody disables themselves" in words_on(answer)
    person = find_person(staff.house.database, "zhao")
    assert person is not None
    assert list(person.roles) == ["admin"]


def test_a_new_code_takes_the_place_of_the_one_before(staff: ConsoleClient) -> None:
    first = _code_on(staff.post("/people/li", "zhao", do="invite"))
    second = _code_on(staff.post("/people/li", "zhao", do="invite"))
    assert accept_invitation(staff.house.database, "li", first, PASSWORD) is None
    assert accept_invitation(staff.house.database, "li", second, PASSWORD)


def test_only_an_administrator_sees_people(staff: ConsoleClient) -> None:
    assert staff.get("/people", "li").status_code == 403
    assert staff.get("/people/zhao", "li").status_code == 403
    assert staff.post("/people", "li", login="new.one", name="New", roles="admin").status_code == 403
    assert find_person(staff.house.database, "new.one") is None
    assert "/console/people" not in staff.get("/reviews", "li").text


def test_people_are_listed_in_both_languages(staff: ConsoleClient) -> None:
    english = words_on(staff.get("/people", "zhao"))
    chinese = words_on(staff.get("/people", "zhao", language="zh"))
    assert "Manager" in english
    assert "主管" in chinese
    assert staff.get("/people/nobody", "zhao").status_code == 404


def _code_on(page: httpx2.Response) -> str:
    found = re.search(r"<code>([\w-]+)</code>", page.text)
    assert found is not None
    return found[1]
