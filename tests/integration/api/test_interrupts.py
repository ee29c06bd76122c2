"""What runs ask of people, over HTTP: listed by whose it is, taken, answered, refused with one clear answer each."""

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.access.roles import Role
from schemas.core.parameters import problems_with
from statemachine.workflow.options.human import NO_RULES, STARTER, HumanRules
from statemachine.workflow.states import RunState
from storage.access.keys import Keys, NewKey
from storage.access.users import Users
from storage.people.reviews import Review
from tests.support.api.client import ApiClient, api_over, key_of, register_keys, register_person
from tests.support.engine.general_runs import ScriptedActions, begin, state_of
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.questions import CAUGHT, ONE_QUESTION, asked_with, questions_of

WANG, LI, ZHAO, NOBODY = "wangfang", "lilei", "zhaomin", "viewer-only"
FORM = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer", "minimum": 1},
        "account": {"type": "string", "writeOnly": True},
    },
    "required": ["amount"],
    "additionalProperties": False,
}


@pytest.fixture
def api(database_url: str, bench: ScriptedActions) -> Iterator[ApiClient]:
    """The API with two reviewers, a manager and somebody who only looks."""
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=[ONE_QUESTION, CAUGHT])
    register_keys(house)
    for login, role in (
        (WANG, Role.REVIEWER),
        (LI, Role.REVIEWER),
        (ZHAO, Role.MANAGER),
        (NOBODY, Role.VIEWER),
    ):
        register_person(house, login, role)
    with api_over(house) as caller:
        yield caller
    house.close()


def asked(
    api: ApiClient, rules: HumanRules = NO_RULES, workflow: str = "one_question", **more: Any
) -> Review:
    (run_id,) = begin(api.house, workflow, **more)
    return asked_with(api.house, run_id, rules)


def say(api: ApiClient, review: Review, who: str, decision: str = "yes", **more: Any) -> Any:
    body = {"payload": {"decision": decision, **more}}
    return api.post(f"/interrupts/{review.review_id}/continue", who, json=body)


def listed(api: ApiClient, who: str = "admin", **filters: Any) -> list[str]:
    answer = api.get("/interrupts", who, params=filters)
    assert answer.status_code == 200, answer.text
    return [each["interrupt_id"] for each in answer.json()["interrupts"]]


def shown(api: ApiClient, review: Review) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/interrupts/{review.review_id}").json()
    return found


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_person_answers_and_the_run_goes_on(api: ApiClient) -> None:
    review = asked(api)
    answer = say(api, review, WANG, note="电话 13800130000 已核对")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    assert answer.json()["interrupt"] == shown(api, review)
    assert shown(api, review)["state"] == "decided"
    assert shown(api, review)["answered_by"] == WANG
    (one,) = shown(api, review)["answers"]
    assert (one["by"], one["note"]) == (WANG, "电话 138****0000 已核对")
    assert state_of(api.house, review.run_id) is RunState.COMPLETED


def test_the_same_answer_again_is_repeated_and_another_one_conflicts(api: ApiClient) -> None:
    review = asked(api)
    answers = [
        say(api, review, who, decision) for who, decision in ((WANG, "yes"), (WANG, "yes"), (LI, "no"))
    ]
    assert [each.status_code for each in answers] == [200, 200, 409]
    assert answers[1].json()["outcome"] == "repeated"
    assert answers[2].json()["error"]["details"]["decided_by"] == WANG


def test_each_refusal_has_one_clear_answer(api: ApiClient) -> None:
    for_managers = asked(api, HumanRules(role="manager"))
    own = asked(api, HumanRules(not_by=(STARTER,)), created_by=WANG)
    with_form = asked(api, HumanRules(form=FORM))
    cancelled = asked(api)
    api.post(f"/tasks/{cancelled.run_id}/cancel", json={"reason": "试验"})
    taken = asked(api)
    api.post(f"/interrupts/{taken.review_id}/claim", LI, json={})
    assert code_of(say(api, for_managers, WANG)) == (403, "FORBIDDEN")
    assert code_of(say(api, for_managers, NOBODY)) == (403, "FORBIDDEN")
    assert code_of(say(api, own, WANG)) == (403, "FORBIDDEN")
    assert code_of(say(api, cancelled, WANG)) == (409, "STATE_CONFLICT")
    assert code_of(say(api, taken, WANG)) == (409, "STATE_CONFLICT")
    assert code_of(say(api, with_form, WANG)) == (422, "VALIDATION_FAILED")
    assert code_of(say(api, with_form, WANG, "perhaps")) == (422, "VALIDATION_FAILED")
    unknown = api.post("/interrupts/REV404/continue", WANG, json={"payload": {"decision": "yes"}})
    assert code_of(unknown) == (404, "NOT_FOUND")
    for review in (for_managers, own, with_form, taken):
        assert shown(api, review)["state"] == "open"


def test_a_form_is_refused_field_by_field(api: ApiClient) -> None:
    review = asked(api, HumanRules(form=FORM))
    answer = say(api, review, WANG, form={"amount": 0, "colour": "red"})
    assert answer.json()["error"]["details"]["fields"] == [
        {"field": "form.colour", "message": "is not a field of this form"},
        {"field": "form.amount", "message": "must be at least 1"},
    ]
    assert say(api, review, WANG, colour="red").json()["error"]["details"]["fields"] == [
        {"field": "colour", "message": "is not a field of an answer"}
    ]


def test_what_is_private_in_a_form_is_shown_to_nobody(api: ApiClient) -> None:
    review = asked(api, HumanRules(form=FORM))
    answer = say(api, review, WANG, form={"amount": 2, "account": "6222020200112233"})
    assert answer.json()["interrupt"]["answers"][0]["form"] == {"amount": 2, "account": "****"}
    for path in (f"/interrupts/{review.review_id}", "/interrupts?state=all", "/reviews?state=all"):
        assert "6222020200112233" not in api.get(path).text
        assert "enc1." not in api.get(path).text


def test_an_answer_is_what_its_schema_says(api: ApiClient) -> None:
    schema = shown(api, asked(api, HumanRules(form=FORM)))["answer_schema"]
    assert problems_with({"decision": "yes", "form": {"amount": 2}}, schema) == []
    assert [each.field for each in problems_with({"decision": "perhaps"}, schema)] == [
        "parameters.form",
        "parameters.decision",
    ]


def test_answers_so_far_are_shown_until_enough_people_agree(api: ApiClient) -> None:
    review = asked(api, HumanRules(role="reviewer", quorum=2))
    assert say(api, review, WANG, "no").json()["outcome"] == "counted"
    assert say(api, review, LI, "yes").json()["outcome"] == "counted"
    assert [(one["by"], one["decision"]) for one in shown(api, review)["answers"]] == [
        (WANG, "no"),
        (LI, "yes"),
    ]
    assert say(api, review, LI, "no").json()["outcome"] == "applied"


def test_lists_hold_what_is_asked_for(api: ApiClient) -> None:
    anybodys = asked(api)
    reviewers = asked(api, HumanRules(role="reviewer"))
    managers = asked(api, HumanRules(role="manager"))
    lis = asked(api, HumanRules(person=LI), "caught")
    wangs_run = asked(api, HumanRules(role="reviewer", not_by=(STARTER,)), created_by=WANG)
    everything = [each.review_id for each in (anybodys, reviewers, managers, lis, wangs_run)]
    assert listed(api) == everything
    assert listed(api, WANG, mine=True) == [anybodys.review_id, reviewers.review_id]
    assert listed(api, LI, mine=True) == [e.review_id for e in (anybodys, reviewers, lis, wangs_run)]
    assert listed(api, "operator", mine=True) == [anybodys.review_id]
    assert listed(api, role="manager") == [managers.review_id]
    assert listed(api, run=lis.run_id) == listed(api, workflow="caught") == [lis.review_id]
    say(api, anybodys, WANG)
    assert listed(api, state="decided") == [anybodys.review_id]
    assert listed(api, state="all") == everything
    first = api.get("/interrupts", params={"limit": 3, "state": "all"}).json()
    rest = api.get("/interrupts", params={"state": "all", "cursor": first["next_cursor"]}).json()
    assert [each["interrupt_id"] for page in (first, rest) for each in page["interrupts"]] == everything
    assert rest["next_cursor"] is None


def test_what_a_deadline_does_is_shown(api: ApiClient) -> None:
    assert shown(api, asked(api))["on_deadline"] == "wait"
    assert shown(api, asked(api, NO_RULES, "caught"))["on_deadline"] == "fail"


def test_a_claim_is_for_who_may_answer(api: ApiClient) -> None:
    review = asked(api, HumanRules(role="reviewer"))
    for path in ("interrupts", "reviews"):
        assert code_of(api.post(f"/{path}/{review.review_id}/claim", ZHAO, json={})) == (403, "FORBIDDEN")
    taken = api.post(f"/interrupts/{review.review_id}/claim", WANG, json={})
    assert taken.json()["interrupt"]["claimed_by"] == WANG
    assert code_of(say(api, review, LI)) == (409, "STATE_CONFLICT")
    assert code_of(api.post(f"/interrupts/{review.review_id}/release", LI, json={})) == (
        409,
        "STATE_CONFLICT",
    )
    assert api.post(f"/interrupts/{review.review_id}/release", WANG, json={}).json()["outcome"] == "applied"
    assert say(api, review, LI).json()["outcome"] == "applied"


def test_the_rules_hold_for_the_other_route_of_answers_too(api: ApiClient) -> None:
    for_managers = asked(api, HumanRules(role="manager"))
    of_two = asked(api, HumanRules(quorum=2))
    with_form = asked(api, HumanRules(form=FORM))

    def decide(review: Review, who: str, **more: Any) -> Any:
        return api.post(f"/reviews/{review.review_id}/decide", who, json={"decision": "yes", **more})

    assert code_of(decide(for_managers, WANG)) == (403, "FORBIDDEN")
    assert code_of(decide(of_two, "operator")) == (403, "FORBIDDEN")
    assert [decide(of_two, who).json()["outcome"] for who in (WANG, WANG, LI)] == [
        "counted",
        "repeated",
        "applied",
    ]
    assert code_of(decide(with_form, WANG)) == (422, "VALIDATION_FAILED")
    assert decide(with_form, WANG, form={"amount": 5}).json()["outcome"] == "applied"


def test_a_key_of_a_person_that_may_only_read_answers_nothing(api: ApiClient) -> None:
    with api.house.database.transaction() as work:
        user = Users(work).find(WANG)
        assert user is not None
        Keys(work).create(
            key_of("read-only"),
            NewKey(agent_id=WANG, scopes=("read",), user_id=user.user_id),
            actor="installation",
        )
    assert code_of(say(api, asked(api), "read-only")) == (403, "FORBIDDEN")


def test_a_payload_that_is_too_large_or_too_deep_is_refused(api: ApiClient) -> None:
    review = asked(api, HumanRules(form={"properties": {"words": {"type": "string"}}}))
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"inner": deep}
    assert say(api, review, WANG, form={"words": "x" * 70_000}).status_code == 422
    assert say(api, review, WANG, form=deep).status_code == 422
    assert say(api, review, WANG, form={"words": "x" * 60_000}).status_code == 200


def test_answers_at_once_over_http_end_the_step_once(api: ApiClient) -> None:
    review = asked(api, HumanRules(quorum=2))
    body = {"payload": {"decision": "yes"}}
    calls = [
        api.prepare("POST", f"/interrupts/{review.review_id}/continue", who, json=body)
        for who in (WANG, LI, ZHAO)
    ]
    answers = api.at_once(calls)
    assert {each.status_code for each in answers} == {200}
    assert sorted(each.json()["outcome"] for each in answers) == ["applied", "counted", "repeated"]


def test_a_question_about_an_order_is_listed_and_answered_as_by_its_own_route(api: ApiClient) -> None:
    body = payload(metadata={"phone": None})
    api.post("/agents/orchestrator/tasks/start", json=body)
    (review_id,) = listed(api, WANG, mine=True)
    found = api.get(f"/interrupts/{review_id}").json()
    assert found["task_id"] == body["task_id"]
    assert {"decision", "reason", "intent_level2"} <= set(found["answer_schema"]["properties"])
    path = f"/interrupts/{review_id}/continue"
    missing = api.post(path, WANG, json={"payload": {"decision": "close"}})
    assert code_of(missing) == (422, "VALIDATION_FAILED")
    closed = api.post(path, WANG, json={"payload": {"decision": "close", "reason": "客户已处理"}})
    assert closed.json()["outcome"] == "applied", closed.text
    assert api.house.order(body["task_id"]).status == "closed"
    again = api.post(path, LI, json={"payload": {"decision": "close", "reason": "客户已处理"}})
    assert again.json()["outcome"] == "repeated"


def test_two_people_close_an_order_where_two_are_needed(api: ApiClient) -> None:
    body = payload(metadata={"phone": None})
    api.post("/agents/orchestrator/tasks/start", json=body)
    order = api.house.order(body["task_id"])
    ((node, _),) = questions_of(api.house, order.run_id).items()
    review = asked_with(api.house, order.run_id, HumanRules(quorum=2), node)
    path = f"/interrupts/{review.review_id}/continue"
    sent = {"payload": {"decision": "close", "reason": "客户已处理"}}
    assert api.post(path, WANG, json=sent).json()["outcome"] == "counted"
    assert api.house.order(body["task_id"]).status != "closed"
    lines = "SELECT count(*) FROM audit_logs WHERE task_id = %s AND event_type = 'review_answered'"
    assert Probe(api.house.database).value(lines, body["task_id"]) == 1
    assert api.post(path, LI, json=sent).json()["outcome"] == "applied"
    assert api.house.order(body["task_id"]).status == "closed"
