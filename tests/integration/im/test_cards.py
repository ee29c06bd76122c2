"""The buttons of a card: every answer that takes no word of the person, the suggestion with its date first."""

import time
from datetime import datetime

from sqlalchemy import text

from runtime.cipher import Cipher
from statemachine.workflow.options.human import HumanRules
from tasks.im.cards import CARD_LASTS
from tasks.im.tokens import CardChoice, CardTokens, TokenFault
from tests.support.api.client import ApiClient
from tests.support.cards import Card, asked, card_of, decided, press
from tests.support.engine.general_runs import begin
from tests.support.factories import answered, payload
from tests.support.messengers.every import FEISHU
from tests.support.probe import Probe
from tests.support.questions import asked_with


def labels(api: ApiClient, review_id: str) -> list[str]:
    return [button.label for button in card_of(api, review_id).buttons]


def review_of_order(api: ApiClient, *, suggested: str | None = None) -> str:
    """The open question about an order whose customer was not understood; perhaps with a suggestion."""
    body = payload(answered("喂？听不清，你说什么"))
    api.post("/agents/orchestrator/tasks/start", json=body)
    api.house.run()
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    review_id = str(review["review_id"])
    if suggested is not None:
        with api.house.database.transaction() as work:
            work.connection.execute(
                text(
                    "UPDATE reviews SET context = context || jsonb_build_object('intent_level2', CAST(:said AS text)) "
                    "WHERE review_id = :id"
                ),
                {"said": suggested, "id": review_id},
            )
    return review_id


def choice_of(api: ApiClient, card: Card) -> CardChoice:
    """What the first button of a card answers."""
    read = CardTokens.of_settings(api.house.settings).read(card.buttons[0].value, time.time())
    assert isinstance(read, CardChoice)
    return read


def test_a_question_of_a_run_has_a_button_for_each_decision(api: ApiClient) -> None:
    assert [button.label for button in asked(api).buttons] == ["yes", "no"]


def test_a_question_with_a_form_has_no_buttons(api: ApiClient) -> None:
    (run_id,) = begin(api.house, "one_question")
    review = asked_with(api.house, run_id, HumanRules(form={"type": "object"}))
    assert labels(api, review.review_id) == []


def test_a_question_that_is_decided_has_no_buttons(api: ApiClient) -> None:
    card = asked(api)
    press(api, FEISHU, card.value("yes"))
    assert labels(api, card.review_id) == []


def test_what_needs_a_reason_or_an_intent_has_no_button(api: ApiClient) -> None:
    assert labels(api, review_of_order(api)) == ["重新联系客户"]


def test_a_suggestion_is_offered_first_with_its_date(api: ApiClient) -> None:
    choice = choice_of(api, card_of(api, review_of_order(api, suggested="客户不便")))
    assert choice.payload["intent_level2"] == "客户不便"
    assert choice.label.startswith("客户不便，")
    assert choice.label.endswith(" 再联系")


def test_a_suggestion_that_needs_no_date_is_offered_by_its_name(api: ApiClient) -> None:
    assert labels(api, review_of_order(api, suggested="可上门")) == ["可上门", "重新联系客户"]


def test_a_press_of_the_suggestion_decides_with_the_date_that_was_shown(api: ApiClient) -> None:
    card = card_of(api, review_of_order(api, suggested="客户不便"))
    choice = choice_of(api, card)
    press(api, FEISHU, card.buttons[0].value)
    assert decided(api, card) == ("decided", "wangfang", "classify")
    (decision,) = Probe(api.house.database).values("SELECT decision FROM reviews")
    assert _moment(decision["followup_at"]) == _moment(choice.payload["followup_at"])


def test_a_button_holds_for_a_day(api: ApiClient) -> None:
    lasts = choice_of(api, asked(api)).expires_at - time.time()
    assert abs(lasts - CARD_LASTS.total_seconds()) < 60


def test_the_buttons_of_a_question_are_shown_to_who_decides_and_of_none_to_nobody(api: ApiClient) -> None:
    path = f"/interrupts/{asked(api).review_id}/card"
    assert [api.get(path, login).status_code for login in ("wangfang", "onlooker")] == [200, 403]
    assert api.get("/interrupts/REV0/card", "wangfang").status_code == 404


def test_no_button_carries_what_the_customer_said(api: ApiClient) -> None:
    card = card_of(api, review_of_order(api))
    read = [CardTokens.of_settings(api.house.settings).read(each.value, 0) for each in card.buttons]
    assert read
    assert not any("听不清" in str(each) for each in read)


def test_what_a_former_cipher_key_signed_holds_until_it_expires() -> None:
    old, new = (Cipher.new_key() for _ in range(2))
    choice = CardChoice(
        interrupt_id="REV1", payload={"decision": "yes"}, label="yes", seen=0, expires_at=1_000
    )
    value = CardTokens([old]).make(choice)
    assert CardTokens([new, old]).read(value, 999) == choice
    assert CardTokens([new, old]).read(value, 1_000) is TokenFault.EXPIRED
    assert CardTokens([new]).read(value, 999) is TokenFault.FORGED


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
