"""Why a person is asked is told as codes, and in the language of who reads (CONSOLE.md §4)."""

from typing import Any

from tests.support.api.client import ApiClient
from tests.support.api.outside_agents import begun, contacted, said
from tests.support.factories import CANCEL, answered, payload
from tests.support.orders.signals import order_run
from tests.support.probe import Probe

ENGLISH = {"Accept-Language": "en"}
SEVERAL_DATES = "下周三或者礼拜五下午都行，你们看着办"
UNCLEAR = "喂？听不清，你说什么"


def review_of(api: ApiClient, task_id: str, **options: Any) -> dict[str, Any]:
    """The review of this order as the list shows it."""
    (found,) = api.get("/reviews", params={"task_id": task_id}, **options).json()["reviews"]
    review: dict[str, Any] = found
    return review


def codes(review: dict[str, Any]) -> list[str]:
    return [why["code"] for why in review["why"]]


def test_a_review_is_read_in_the_language_that_is_asked_for(api: ApiClient) -> None:
    task_id = order_run(api.house, answered(UNCLEAR))
    chinese, english = review_of(api, task_id), review_of(api, task_id, headers=ENGLISH)
    assert "unclear_intent" in codes(chinese)
    assert codes(english) == codes(chinese)
    assert chinese["question"] == "；".join(why["text"] for why in chinese["why"])
    assert english["question"] == "; ".join(why["text"] for why in english["why"])
    assert "回答中没有可以执行的意图" in chinese["question"]
    assert "the answer names no intent that can be acted on" in english["question"]


def test_what_is_kept_is_chinese_with_the_codes_beside(api: ApiClient) -> None:
    task_id = order_run(api.house, answered(UNCLEAR))
    review = review_of(api, task_id, headers=ENGLISH)
    kept = Probe(api.house.database).row("SELECT question, context FROM reviews WHERE task_id = %s", task_id)
    assert "回答中没有可以执行的意图" in kept.question
    assert kept.context["why"] == [{name: why[name] for name in ("code", "params")} for why in review["why"]]


def test_who_decides_reads_the_words_in_sentence_and_parameter_and_others_their_places(
    api: ApiClient,
) -> None:
    task_id = order_run(api.house, answered(SEVERAL_DATES))
    path = f"/reviews/{review_of(api, task_id)['review_id']}"

    def unclear(agent: str) -> dict[str, Any]:
        shown = api.get(path, agent, headers=ENGLISH).json()
        (found,) = (why for why in shown["why"] if why["code"] == "date_unclear")
        assert found["text"] in shown["question"]
        why: dict[str, Any] = found
        return why

    heard, read = unclear("operator"), unclear("triage_agent")
    assert heard["params"]["words"] == ["下周三", "礼拜五"]
    assert heard["text"] == "the date is unclear (several dates are named): 下周三, 礼拜五"
    assert all(place.startswith("…[") for place in read["params"]["words"])
    assert "下周三" not in read["text"]


def test_a_failure_is_told_as_a_code_too(api: ApiClient) -> None:
    body = payload(metadata={"phone": None})
    assert api.post("/agents/orchestrator/tasks/start", json=body).status_code == 200
    api.house.run()
    review = review_of(api, body["task_id"], headers=ENGLISH)
    assert (review["reason"], codes(review)) == ("not_callable", ["not_callable"])
    assert review["question"].startswith("there is no way to contact the customer")


def test_taking_a_cancellation_back_gives_its_own_reason_alone(api: ApiClient) -> None:
    task_id = order_run(api.house, answered(CANCEL))
    api.post(f"/tasks/{task_id}/undo", "operator", json={"reason": "客户来电，仍要维修"})
    review = review_of(api, task_id, headers=ENGLISH)
    assert codes(review) == ["undo_requested"]
    assert review["why"][0]["params"] == {"by": "operator", "said": "客户来电，仍要维修"}
    assert review["question"] == "operator takes the cancellation back: 客户来电，仍要维修"


def test_a_decision_and_a_claim_answer_in_the_language_too(api: ApiClient) -> None:
    task_id = order_run(api.house, answered(UNCLEAR))
    path = f"/reviews/{review_of(api, task_id)['review_id']}"
    question = review_of(api, task_id, headers=ENGLISH)["question"]
    taken = api.post(f"{path}/claim", "operator", json={}, headers=ENGLISH).json()
    assert taken["review"]["question"] == question
    decided = api.post(f"{path}/decide", "operator", json={"decision": "recontact"}, headers=ENGLISH).json()
    assert decided["review"]["question"] == question


def test_an_agent_reads_why_a_person_must_look_in_its_language(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said(UNCLEAR))
    contacted(manual, task_id)
    found = manual.post("/agents/triage/classify", json={"task_id": task_id}, headers=ENGLISH).json()
    classification = found["classification"]
    assert classification["reasons"] == [why["text"] for why in classification["why"]]
    assert "the answer names no intent that can be acted on" in classification["reasons"]


def test_an_agents_reading_is_checked_in_its_language(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1", said(UNCLEAR))
    given = {"level1_intent": "继续", "level2_intent": "配件未到", "confidence": 0.9}
    body = {"task_id": task_id, "user_input": UNCLEAR, "classification": given}
    found = manual.post("/agents/triage/validate", json=body, headers=ENGLISH).json()
    assert found["reasons"][0] == "“parts have not come” belongs to “postpone”, not to “go ahead”"
    assert found["why"][0]["code"] == "other_parent"
