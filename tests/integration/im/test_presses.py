"""A press of a card's button decides the question once, as its owner; whatever else comes leaves it as it is."""

import time
from dataclasses import replace
from typing import Any

import pytest

from runtime.settings import Settings
from schemas.access.roles import Role
from storage.access.system_audit import SystemAudit, SystemAuditEntry
from tasks.im.tokens import CardChoice, CardTokens
from tests.support.api.client import ApiClient, api_over
from tests.support.cards import LATE, Card, asked, card_of, decided, post, press
from tests.support.factories import answered, payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.messengers.contract import Messenger
from tests.support.messengers.every import FEISHU

OPEN = ("open", None, None)
BY_WANG = ("decided", "wangfang", "yes")


def lines(api: ApiClient, what: str) -> list[SystemAuditEntry]:
    with api.house.database.transaction() as work:
        return [line for line in SystemAudit(work).recent() if line.what == what]


def made_otherwise(api: ApiClient, card: Card, label: str = "yes", **changes: Any) -> str:
    """The value of a button with something changed in it, as only we can make it."""
    tokens = CardTokens.of_settings(api.house.settings)
    choice = tokens.read(card.value(label), time.time())
    assert isinstance(choice, CardChoice)
    return tokens.make(replace(choice, **changes))


def test_a_press_decides_as_its_owner_and_the_card_says_who(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    answer = press(api, messenger, card.value("yes"))
    assert answer.status_code == 200
    assert messenger.shown(answer) == ("wangfang 已决定：yes", True)
    assert decided(api, card) == BY_WANG


def test_a_press_that_comes_again_is_answered_as_before_and_decides_nothing(
    api: ApiClient, messenger: Messenger
) -> None:
    card = asked(api)
    sent = messenger.pressed(card.value("yes"), "im-wangfang", at=time.time())
    first, second = (messenger.shown(post(api, messenger, sent)) for _ in range(2))
    assert first == second
    assert len(lines(api, "review_answered")) == 1


def test_an_event_that_comes_again_with_another_answer_changes_nothing(
    api: ApiClient, messenger: Messenger
) -> None:
    card, other = asked(api), asked(api)
    at = time.time()
    _, second = (
        post(api, messenger, messenger.pressed(each.value("yes"), "im-wangfang", at=at))
        for each in (card, other)
    )
    assert messenger.shown(second)[0] == "没有收到这次点击，请再点一次"
    assert (decided(api, card), decided(api, other)) == (BY_WANG, OPEN)


def test_a_callback_that_the_messenger_did_not_sign_is_refused(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    assert press(api, messenger.impostor, card.value("yes")).status_code == 401
    assert decided(api, card) == OPEN


def test_a_callback_without_a_signature_is_refused(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    sent = messenger.pressed(card.value("yes"), "im-wangfang", at=time.time())
    assert post(api, messenger, replace(sent, headers={}, params={})).status_code == 401
    assert decided(api, card) == OPEN


@pytest.mark.parametrize("age", [LATE, -LATE], ids=["late", "early"])
def test_a_callback_of_another_time_is_refused(api: ApiClient, messenger: Messenger, age: float) -> None:
    card = asked(api)
    assert press(api, messenger, card.value("yes"), age=age).status_code == 401
    assert decided(api, card) == OPEN


def test_a_callback_of_another_company_or_app_is_refused(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    assert press(api, messenger.stranger, card.value("yes")).status_code == 401
    assert decided(api, card) == OPEN


def test_an_account_that_is_nobodys_decides_nothing(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    answer = press(api, messenger, card.value("yes"), "nobody")
    assert messenger.shown(answer)[0] == "这个账号还没有绑定：请登录后取得绑定码，发给机器人"
    assert decided(api, card) == OPEN


def test_a_button_that_we_did_not_make_decides_nothing(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    (yes, _), (_, mac) = (card.value(each).split(".") for each in ("yes", "no"))
    answers = [
        press(api, messenger, value, event=event)
        for event, value in enumerate(("", "yes", f"{yes}.{mac}", f"{yes}."), 1)
    ]
    assert [messenger.shown(answer)[0] for answer in answers] == ["这个按钮无效"] * 4
    assert decided(api, card) == OPEN


def test_a_button_whose_time_is_over_decides_nothing(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    answer = press(api, messenger, made_otherwise(api, card, expires_at=int(time.time())))
    assert messenger.shown(answer)[0] == "这张卡片已过期，请登录后处理"
    assert decided(api, card) == OPEN


def test_somebody_whose_roles_decide_nothing_does_not(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    answer = press(api, messenger, card.value("yes"), "onlooker")
    assert messenger.shown(answer)[0] == "您的角色不能回答这个问题"
    assert decided(api, card) == OPEN


def test_somebody_who_is_let_in_no_more_decides_nothing(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    api.call("PATCH", "/people/wangfang", json={"disabled": True})
    press(api, messenger, card.value("yes"))
    assert decided(api, card) == OPEN


def test_a_role_that_was_taken_away_counts_at_once(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    api.call("PATCH", "/people/wangfang", json={"roles": [Role.VIEWER]})
    press(api, messenger, card.value("yes"))
    assert decided(api, card) == OPEN


def test_a_question_that_somebody_else_has_decided_says_who(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    press(api, messenger, card.value("yes"), "wangfang")
    answer = press(api, messenger, card.value("no"), "lilei", event=2)
    assert messenger.shown(answer) == ("已由 wangfang 决定", True)
    assert decided(api, card) == BY_WANG


def test_a_question_that_somebody_has_taken_stays_theirs(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    api.post(f"/interrupts/{card.review_id}/claim", "lilei", json={})
    answer = press(api, messenger, card.value("yes"))
    assert messenger.shown(answer)[0] == "lilei 正在处理这个问题"
    assert decided(api, card) == OPEN


def test_a_question_that_is_gone_says_so(api: ApiClient, messenger: Messenger) -> None:
    value = made_otherwise(api, asked(api), interrupt_id="REV00000000000000000000000000")
    assert messenger.shown(press(api, messenger, value)) == ("这个问题已不存在", True)


def test_what_a_customer_has_said_since_must_be_known_first(api: ApiClient) -> None:
    body = payload(answered("喂？听不清，你说什么"))
    api.post("/agents/orchestrator/tasks/start", json=body)
    api.house.run()
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    card = card_of(api, review["review_id"])
    signal = {"signal_id": "s1", "type": "customer_called", "data": {"words": "配件到了吗"}}
    api.post(f"/tasks/{body['task_id']}/signals", json=signal)
    answer = press(api, FEISHU, card.value("重新联系客户"))
    assert FEISHU.shown(answer) == ("客户后来又联系过我们，请登录后查看再决定", False)
    assert decided(api, card) == OPEN


def test_history_says_by_which_way_it_was_answered(api: ApiClient, messenger: Messenger) -> None:
    card = asked(api)
    press(api, messenger, card.value("yes"))
    (line,) = lines(api, "im.answered")
    assert line.actor == "wangfang"
    assert line.detail["provider"] == messenger.name
    assert line.detail["interrupt_id"] == card.review_id


def test_a_messenger_that_is_not_set_up_is_unknown(database_url: str, messenger: Messenger) -> None:
    house = InProcessFleet.build(database_url)
    with api_over(house) as api:
        answer = press(api, messenger, "anything")
        asked_for = api.get(f"/im/{messenger.name}/callback", None)
    house.close()
    assert (answer.status_code, asked_for.status_code) == (404, 404)


@pytest.mark.parametrize("missing", ["verification_token", "encrypt_key"])
def test_half_of_a_messengers_settings_is_an_error_that_names_the_rest(
    house: InProcessFleet, missing: str
) -> None:
    given = house.settings.model_dump() | {f"im_feishu_{missing}": None}
    with pytest.raises(ValueError, match=f"UNPEND_IM_FEISHU_{missing.upper()} must be set as well"):
        Settings.model_validate(given)
