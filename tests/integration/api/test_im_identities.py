"""Accounts in messengers: bound by a code that is sent to the bot, listed, ended by their owner."""

from typing import Any

import pytest

from schemas.access.roles import Role
from storage.access.im_identities import ImIdentities
from storage.access.system_audit import SystemAudit
from tasks.im.bindings import bind
from tests.support.api.client import ApiClient, register_person
from tests.support.probe import Probe

WANG, LI = "wangfang", "lilei"
ACCOUNT = "ou_wang"


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    """The API with two reviewers."""
    for login in (WANG, LI):
        register_person(api.house, login, Role.REVIEWER)
    return api


def code_of(api: ApiClient, login: str = WANG) -> str:
    answer = api.post("/auth/im-code", login)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["code"])


def bound(api: ApiClient, words: str, account: str = ACCOUNT) -> str | None:
    """The login that an account is bound to which sends these words."""
    owner = bind(api.house.database, "feishu", account, words)
    return None if owner is None else owner.login


def identities(api: ApiClient, login: str = WANG) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/auth/im-identities", login).json()["identities"]
    return found


def test_a_code_binds_the_account_that_sends_it(api: ApiClient) -> None:
    assert bound(api, f"@bot 绑定 {code_of(api)}。") == WANG
    (shown,) = identities(api)
    assert (shown["provider"], shown["operator_id"]) == ("feishu", ACCOUNT)
    assert identities(api, LI) == []


def test_a_code_to_bind_with_is_used_once(api: ApiClient) -> None:
    code = code_of(api)
    assert [bound(api, code), bound(api, code, "ou_other")] == [WANG, None]


def test_a_code_binds_nothing_after_ten_minutes(api: ApiClient) -> None:
    code = code_of(api)
    Probe(api.house.database).write("UPDATE users SET im_code_expires_at = clock_timestamp()")
    assert bound(api, code) is None


def test_a_new_code_to_bind_with_replaces_the_one_before(api: ApiClient) -> None:
    first, second = code_of(api), code_of(api)
    assert [bound(api, first), bound(api, second)] == [None, WANG]


def test_a_code_is_not_kept_as_it_is(api: ApiClient) -> None:
    code = code_of(api)
    (row,) = Probe(api.house.database).values(f"SELECT u::text FROM users u WHERE login = '{WANG}'")
    assert code not in row
    assert code.encode().hex() not in row


def test_a_key_that_is_no_persons_gets_no_code(api: ApiClient) -> None:
    assert api.post("/auth/im-code").status_code == 409


def test_an_account_is_one_persons_at_a_time(api: ApiClient) -> None:
    assert [bound(api, code_of(api)), bound(api, code_of(api, LI))] == [WANG, LI]
    assert [len(identities(api, login)) for login in (WANG, LI)] == [0, 1]


def test_an_account_is_ended_by_its_owner_alone(api: ApiClient) -> None:
    bound(api, code_of(api))
    path = f"/auth/im-identities/{identities(api)[0]['identity_id']}"
    assert [api.call("DELETE", path, login).status_code for login in (LI, WANG, WANG)] == [404, 200, 404]
    assert identities(api) == []


def test_the_account_of_somebody_who_is_let_in_no_more_is_nobodys(api: ApiClient) -> None:
    bound(api, code_of(api))
    api.call("PATCH", f"/people/{WANG}", json={"disabled": True})
    with api.house.database.transaction() as work:
        assert ImIdentities(work).owner("feishu", ACCOUNT) is None


def test_each_step_of_a_binding_is_a_line_of_the_audit_log(api: ApiClient) -> None:
    code = code_of(api)
    bound(api, code)
    api.call("DELETE", f"/auth/im-identities/{identities(api)[0]['identity_id']}", WANG)
    with api.house.database.transaction() as work:
        lines = [line for line in SystemAudit(work).recent() if line.what.startswith("im.")]
    assert [(line.what, line.actor) for line in reversed(lines)] == [
        ("im.code_made", WANG),
        ("im.bound", WANG),
        ("im.unbound", WANG),
    ]
    assert not any(code in str(line.detail) for line in lines)
