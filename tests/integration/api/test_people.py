"""People: added, changed, let in by password or key, each with what their roles allow (CONSOLE.md §3)."""

from typing import Any

import pytest

from api.access.logins import LoginLimits
from api.server.refusal import Refusal
from schemas.access.roles import Role
from storage.access.keys import Keys
from storage.access.system_audit import SystemAudit
from storage.orders.order_view import OrderView
from tasks.access.login_tries import TRIES, TRIES_OF_ADDRESS
from tests.support.api.client import ApiClient, register_person
from tests.support.factories import payload
from tests.support.waiting import wait_until

PASSWORD = "a long enough sentence"
ANOTHER = "another long enough one"


def added(api: ApiClient, login: str = "wangfang", roles: tuple[str, ...] = ("reviewer",)) -> dict[str, Any]:
    answer = api.post("/people", json={"login": login, "name": "王芳", "roles": list(roles)})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def with_password(api: ApiClient, login: str = "wangfang", roles: tuple[str, ...] = ("reviewer",)) -> None:
    code = added(api, login, roles)["code"]
    answer = api.post("/auth/accept", None, json={"login": login, "code": code, "password": PASSWORD})
    assert answer.status_code == 200, answer.text


def login(api: ApiClient, name: str = "wangfang", password: str = PASSWORD) -> Any:
    return api.post("/auth/login", None, json={"login": name, "password": password})


def token(api: ApiClient, name: str = "wangfang", password: str = PASSWORD) -> dict[str, str]:
    """The header of somebody who has just logged in."""
    answer = login(api, name, password)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def status(api: ApiClient, headers: dict[str, str], path: str = "/states") -> int:
    return api.get(path, None, headers=headers).status_code


def test_a_person_sets_a_password_with_the_code_and_logs_in(api: ApiClient) -> None:
    with_password(api)
    headers = token(api)
    me = api.get("/auth/me", None, headers=headers).json()
    assert (me["agent_id"], me["scopes"]) == ("wangfang", ["read", "reviews"])
    assert me["person"]["roles"] == ["reviewer"]


def test_a_code_is_used_once(api: ApiClient) -> None:
    code = added(api)["code"]
    wish = {"login": "wangfang", "code": code, "password": PASSWORD}
    assert [api.post("/auth/accept", None, json=wish).status_code for _ in range(2)] == [200, 401]


def test_a_new_code_replaces_the_one_before(api: ApiClient) -> None:
    first = added(api)["code"]
    second = api.post("/people/wangfang/invite").json()["code"]
    given = [
        api.post("/auth/accept", None, json={"login": "wangfang", "code": code, "password": PASSWORD})
        for code in (first, second)
    ]
    assert [answer.status_code for answer in given] == [401, 200]


def test_who_is_nobody_and_who_errs_are_answered_alike(api: ApiClient) -> None:
    with_password(api)
    answers = [login(api, "wangfang", "not the password"), login(api, "nobody", PASSWORD)]
    errors = [{**answer.json()["error"]} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert errors[0] == errors[1]


def test_a_login_is_tried_five_times_a_minute_whoever_it_is(api: ApiClient) -> None:
    with_password(api)
    for name in ("wangfang", "nobody"):
        # Setting the password was a try of the first.
        statuses = [login(api, name, "wrong and wrong").status_code for _ in range(6)]
        assert statuses[-1] == 429
        assert set(statuses[:4]) == {401}


def test_an_address_that_is_shut_out_uses_up_no_more_tries_of_anybody() -> None:
    limits = LoginLimits(lambda _: None)
    for number in range(TRIES_OF_ADDRESS):
        limits.admit(f"somebody{number}", "198.51.100.7")
    for _ in range(TRIES):
        with pytest.raises(Refusal):
            limits.admit("wangfang", "198.51.100.7")
    limits.admit("wangfang", "203.0.113.9")


def test_trying_passwords_raises_an_alert(api: ApiClient) -> None:
    for _ in range(7):
        login(api, "nobody", "wrong and wrong")
    wait_until(lambda: [a["alert_type"] for a in api.get("/alerts").json()["alerts"]] == ["logins_refused"])


def test_logging_out_ends_that_login_alone(api: ApiClient) -> None:
    with_password(api)
    here, there = token(api), token(api)
    assert api.post("/auth/logout", None, headers=here).status_code == 200
    with api.house.database.transaction() as work:
        keys = Keys(work)
        found = [keys.find(headers["Authorization"].removeprefix("Bearer ")) for headers in (here, there)]
    assert [key is None for key in found] == [True, False]


def test_a_changed_password_ends_the_other_logins(api: ApiClient) -> None:
    with_password(api)
    here, there = token(api), token(api)
    wish = {"password": PASSWORD, "new_password": ANOTHER}
    assert api.post("/auth/password", None, headers=here, json=wish).status_code == 200
    with api.house.database.transaction() as work:
        assert Keys(work).find(there["Authorization"].removeprefix("Bearer ")) is None
    assert status(api, here) == 200
    assert login(api, "wangfang", ANOTHER).status_code == 200


def test_a_wrong_password_changes_nothing(api: ApiClient) -> None:
    with_password(api)
    wish = {"password": "not the password", "new_password": ANOTHER}
    answer = api.post("/auth/password", None, headers=token(api), json=wish)
    assert answer.status_code == 422
    assert "not the password" not in answer.text.replace("is not the password", "")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 129])
def test_a_password_that_is_no_good_is_refused_and_not_repeated(api: ApiClient, password: str) -> None:
    code = added(api)["code"]
    answer = api.post("/auth/accept", None, json={"login": "wangfang", "code": code, "password": password})
    assert answer.status_code == 422
    assert not password or password not in answer.text


def test_a_disabled_person_is_let_in_by_none_of_their_keys(api: ApiClient) -> None:
    with_password(api)
    login_key = token(api)["Authorization"].removeprefix("Bearer ")
    made = api.post("/keys", json={"agent_id": "wangfang", "scopes": ["read"]}).json()["key"]
    assert api.call("PATCH", "/people/wangfang", json={"disabled": True}).status_code == 200
    with api.house.database.transaction() as work:
        assert [Keys(work).find(key) for key in (login_key, made)] == [None, None]
    assert login(api).status_code == 401


def test_a_persons_key_may_do_of_what_it_names_only_what_their_roles_may(api: ApiClient) -> None:
    added(api, roles=("viewer",))
    key = api.post("/keys", json={"agent_id": "wangfang", "scopes": ["read", "admin"]}).json()["key"]
    headers = {"Authorization": f"Bearer {key}"}
    assert (status(api, headers), status(api, headers, "/keys")) == (200, 403)


def test_other_roles_are_in_force_for_keys_that_there_are(api: ApiClient) -> None:
    register_person(api.house, "wangfang", Role.VIEWER)
    with api.house.database.transaction() as work:
        before = Keys(work).find("key-of-wangfang")
    api.call("PATCH", "/people/wangfang", json={"roles": ["manager"]})
    with api.house.database.transaction() as work:
        after = Keys(work).find("key-of-wangfang")
    assert before is not None
    assert after is not None
    assert before.scopes == {"read"}
    assert {"reveal", "lift", "alerts"} <= after.scopes


@pytest.mark.parametrize("login_name", ["operator", "contact_agent", "fleet", "local"])
def test_nobody_is_named_as_an_agent_or_the_fleet_is(api: ApiClient, login_name: str) -> None:
    answer = api.post("/people", json={"login": login_name, "name": "x", "roles": ["viewer"]})
    assert answer.status_code in {409, 422}


def test_a_login_is_given_once(api: ApiClient) -> None:
    added(api)
    answer = api.post("/people", json={"login": "wangfang", "name": "王方", "roles": ["viewer"]})
    assert answer.status_code == 409


def test_nobody_takes_the_role_admin_from_themselves(api: ApiClient) -> None:
    register_person(api.house, "boss", Role.ADMIN)
    for change in ({"disabled": True}, {"roles": ["viewer"]}):
        assert api.call("PATCH", "/people/boss", "boss", json=change).status_code == 409


def test_neither_password_nor_code_is_stored_or_shown_again(api: ApiClient) -> None:
    code = added(api)["code"]
    api.post("/auth/accept", None, json={"login": "wangfang", "code": code, "password": PASSWORD})
    shown = api.get("/people").text
    with api.house.database.transaction() as work:
        stored = str(work.connection.exec_driver_sql("SELECT * FROM users").all())
        audited = str(SystemAudit(work).recent())
    assert all(secret not in text for secret in (code, PASSWORD) for text in (shown, stored, audited))


def test_every_change_of_a_person_is_a_line_with_the_key_that_made_it(api: ApiClient) -> None:
    added(api)
    api.call("PATCH", "/people/wangfang", params={"by": "李雷"}, json={"roles": ["manager"]})
    with api.house.database.transaction() as work:
        (line,) = SystemAudit(work).recent(what="person.changed")
    assert (line.actor, line.label) == ("admin", "李雷")
    assert line.key_id is not None
    assert line.detail == {"login": "wangfang", "roles": ["manager"], "disabled": False}


def test_whatever_a_request_does_to_an_order_names_its_key(api: ApiClient) -> None:
    register_person(api.house, "wangfang", Role.MANAGER)
    body = payload(metadata={"phone": None})
    task_id = body["task_id"]
    api.post("/agents/orchestrator/tasks/start", json=body)
    with api.house.database.transaction() as work:
        fleets = len(OrderView(work).audit_lines(task_id))
        key = Keys(work).find("key-of-wangfang")
    assert key is not None
    (review,) = api.get("/reviews", params={"task_id": task_id}).json()["reviews"]
    (alert,) = api.get("/alerts", params={"task_id": task_id}).json()["alerts"] or [None]
    calls = [
        *([f"/alerts/{alert['alert_id']}/acknowledge"] if alert else []),
        f"/tasks/{task_id}/pause",
        f"/tasks/{task_id}/resume",
        f"/reviews/{review['review_id']}/claim",
        f"/tasks/{task_id}/cancel",
    ]
    for path in calls:
        assert (
            api.post(path, "wangfang", json={"by": "somebody"} if "review" in path else {}).status_code == 200
        )
    with api.house.database.transaction() as work:
        lines = OrderView(work).audit_lines(task_id)[fleets:]
    assert len(lines) >= len(calls)
    assert {(line["agent_id"], line["key_id"]) for line in lines} == {("wangfang", key.key_id)}


def test_who_is_no_admin_adds_nobody(api: ApiClient) -> None:
    register_person(api.house, "wangfang", Role.MANAGER)
    wish = {"login": "lilei", "name": "李雷", "roles": ["admin"]}
    assert api.post("/people", "wangfang", json=wish).status_code == 403
