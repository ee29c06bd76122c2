"""What a person sees who decides reviews, and who sees what the customer said."""

from schemas.core.language import Language
from statemachine.orders.intents import Level2
from storage.people.reviews import Reviews
from tasks.orders.people.worklist import DecidableReview, business_now, decidable_review
from tests.support.api.client import ApiClient
from tests.support.factories import answered, payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tools.span import SpanKind

UNCLEAR = "喂？听不清，打 13964805678"


def asked_about(api: ApiClient) -> str:
    """The review of an order whose customer's words were not understood."""
    body = payload(answered(UNCLEAR), metadata={"product": "冷柜", "customer_name": "王小明"})
    api.post("/agents/orchestrator/tasks/start", json=body)
    api.house.run()
    with api.house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=body["task_id"])
    return review.review_id


def seen(house: InProcessFleet, review_id: str, words_for: str | None) -> DecidableReview:
    found = decidable_review(house.database, house.context, review_id, words_for=words_for)
    assert found is not None
    return found


def looks(house: InProcessFleet) -> list[str]:
    return list(
        Probe(house.database).values(
            "SELECT agent_id FROM audit_logs WHERE event_type = 'personal_data_revealed'"
        )
    )


def test_facts_are_shown_masked(api: ApiClient) -> None:
    facts = seen(api.house, asked_about(api), None).facts
    assert facts["product"] == "冷柜"
    assert "王小明" not in repr(facts)


def test_who_decides_sees_the_words_masked_and_is_on_record(api: ApiClient) -> None:
    found = seen(api.house, asked_about(api), "wangfang")
    assert found.words == "喂？听不清，打 139****5678"
    assert looks(api.house) == ["wangfang"]


def test_what_mattered_is_marked_in_the_words_as_they_are_shown(api: ApiClient) -> None:
    body = payload(answered("打 13964805678，下周三或者礼拜五下午都行，師傅可以上門"))
    api.post("/agents/orchestrator/tasks/start", json=body)
    api.house.run()
    with api.house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=body["task_id"])
    found = seen(api.house, review.review_id, "wangfang")
    words = found.words or ""
    assert words.startswith("打 139****5678，")
    marked = {(span.kind, words[span.start : span.end]) for span in found.spans}
    assert {(SpanKind.DATE, "下周三"), (SpanKind.DATE, "礼拜五")} <= marked
    assert any(kind is SpanKind.FOR and "可以上門" in piece for kind, piece in marked)
    assert seen(api.house, review.review_id, None).spans == []


def test_the_question_is_asked_in_either_language(api: ApiClient) -> None:
    review_id = asked_about(api)
    chinese = seen(api.house, review_id, "wangfang")
    english = decidable_review(
        api.house.database, api.house.context, review_id, words_for=None, language=Language.ENGLISH
    )
    assert english is not None
    assert english.why == chinese.why
    assert "回答中没有可以执行的意图" in chinese.question
    assert "the answer names no intent that can be acted on" in english.question


def test_who_does_not_decide_sees_no_words_and_leaves_no_line(api: ApiClient) -> None:
    found = seen(api.house, asked_about(api), None)
    assert found.words is None
    assert looks(api.house) == []


def test_a_date_is_suggested_for_each_intent_that_postpones(api: ApiClient) -> None:
    found = seen(api.house, asked_about(api), None)
    now = business_now(api.house.database)
    assert set(found.dates) == {Level2.PARTS_PENDING, Level2.CUSTOMER_UNAVAILABLE, Level2.SITE_NOT_READY}
    assert all(date > now for date in found.dates.values())
    assert found.dates[Level2.SITE_NOT_READY] > found.dates[Level2.PARTS_PENDING]


def test_there_is_no_review_of_an_unknown_id(house: InProcessFleet) -> None:
    assert decidable_review(house.database, house.context, "REV-none", words_for="wangfang") is None
