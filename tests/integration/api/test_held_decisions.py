"""A decision of the worklist is held, so that it can be undone, and then applied once (CONSOLE.md §4)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from schemas.access.roles import Role
from storage.orders.order_view import OrderView
from tasks.people.due_holds import apply_due
from tasks.people.holding import Held, undo_hold
from tests.support.api.client import ApiClient, register_person
from tests.support.factories import answered, payload
from tests.support.in_process_fleet import InProcessFleet, settings_for
from tests.support.probe import Probe
from workers.app import make_app
from workers.process import Process
from workers.tick import watch

START = "/agents/orchestrator/tasks/start"
WANG, LI, ZHAO = "wangfang", "lilei", "zhaomin"
CLOSE = {"decision": "close", "reason": "客户已处理"}
READY = {"decision": "classify", "intent_level2": "可上门"}


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    """The API with two reviewers and their manager."""
    for login in (WANG, LI):
        register_person(api.house, login, Role.REVIEWER)
    register_person(api.house, ZHAO, Role.MANAGER)
    return api


def asked_about(api: ApiClient) -> dict[str, Any]:
    """The review of an order whose customer's words were not understood."""
    body = payload(answered("喂？听不清，你说什么"))
    api.post(START, json=body)
    api.house.run()
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    found: dict[str, Any] = review
    return found


def act(api: ApiClient, review: dict[str, Any], verb: str, agent: str = WANG, **body: Any) -> Any:
    return api.post(f"/reviews/{review['review_id']}/{verb}", agent, json=body)


def hold(api: ApiClient, review: dict[str, Any], agent: str = WANG, key: str = "k1", **decision: Any) -> Any:
    return act(api, review, "hold", agent, payload=decision or CLOSE, idempotency_key=key)


def found(api: ApiClient, review: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = api.get(f"/reviews/{review['review_id']}").json()
    return shown


def come_due(api: ApiClient) -> None:
    """Let every hold be over on the database's clock."""
    Probe(api.house.database).write("UPDATE held_decisions SET held_until = made_at - interval '1 second'")


def tick(house: InProcessFleet) -> int:
    return apply_due(house.engine, house.forms)


def state_of(api: ApiClient) -> tuple[str, str | None]:
    """The state of the only hold, and why it was refused."""
    (row,) = Probe(api.house.database).rows("SELECT state, refusal FROM held_decisions")
    return row[0], row[1]


def lines(api: ApiClient, review: dict[str, Any], what: str) -> list[Any]:
    with api.house.database.transaction() as work:
        return [line for line in OrderView(work).audit_lines(review["task_id"]) if line["event_type"] == what]


def test_nothing_acts_before_the_hold_ends(api: ApiClient) -> None:
    review = asked_about(api)
    answer = hold(api, review)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "held")
    assert answer.json()["hold"]["state"] == "held"
    assert tick(api.house) == 0
    assert found(api, review)["state"] == "open"
    assert api.house.order(review["task_id"]).status != "closed"


def test_once_its_time_has_come_the_decision_goes_the_usual_way(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    come_due(api)
    assert tick(api.house) == 1
    shown = found(api, review)
    assert (shown["state"], shown["decided_by"]) == ("decided", WANG)
    assert state_of(api) == ("applied", None)
    api.house.run()
    assert api.house.order(review["task_id"]).status == "closed"


def test_a_decision_is_applied_once_however_often_somebody_looks(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    come_due(api)
    together = Barrier(3, timeout=60)

    def look(_: int) -> int:
        together.wait()
        return tick(api.house)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(look, range(3)))
    assert tick(api.house) == 0
    assert len(lines(api, review, "review_decided")) == 1
    assert api.house.events(review["task_id"]).count("review.close") == 1


def test_the_tick_of_another_process_applies_what_a_process_held_that_is_gone(
    api: ApiClient, database_url: str, broker_url: str
) -> None:
    review = asked_about(api)
    hold(api, review)
    come_due(api)
    settings = settings_for(database_url, broker_url)
    process = Process(settings, make_app(settings), name="tick")
    watch(process, 0.0)
    process.engine.close()
    process.database.close()
    assert found(api, review)["state"] == "decided"
    assert tick(api.house) == 0


def test_the_line_of_the_decision_names_the_login_and_its_key(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    come_due(api)
    tick(api.house)
    (held,), (decided,) = lines(api, review, "decision_held"), lines(api, review, "review_decided")
    assert held["agent_id"] == decided["agent_id"] == WANG
    assert held["key_id"] is not None
    assert decided["key_id"] == held["key_id"]


def test_undo_restores_the_review_to_its_holder(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    answer = act(api, review, "undo")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "undone")
    assert answer.json()["hold"]["state"] == "undone"
    come_due(api)
    assert tick(api.house) == 0
    shown = found(api, review)
    assert (shown["state"], shown["claimed_by"]) == ("open", WANG)
    assert act(api, review, "undo").json()["outcome"] == "repeated"


def test_what_was_undone_is_decided_anew(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    act(api, review, "undo")
    assert hold(api, review, key="k2", **READY).status_code == 200
    come_due(api)
    tick(api.house)
    assert found(api, review)["decision"]["intent_level2"] == "可上门"


def test_undo_comes_too_late_once_the_decision_is_applied(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    come_due(api)
    tick(api.house)
    answer = act(api, review, "undo")
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["hold_state"] == "applied"


def test_of_undo_and_the_tick_at_once_exactly_one_wins(api: ApiClient) -> None:
    for _ in range(8):
        review = asked_about(api)
        hold(api, review)
        come_due(api)
        together = Barrier(2, timeout=60)

        def take_back(review: dict[str, Any] = review, together: Barrier = together) -> Held:
            together.wait()
            return undo_hold(api.house.database, review["review_id"], by=WANG).outcome

        def look(together: Barrier = together) -> None:
            together.wait()
            tick(api.house)

        with ThreadPoolExecutor(2) as pool:
            undone, looked = pool.submit(take_back), pool.submit(look)
            looked.result()
        was_undone = undone.result() is Held.DONE
        assert was_undone or undone.result() is Held.TOO_LATE
        assert found(api, review)["state"] == ("open" if was_undone else "decided")
        assert len(lines(api, review, "review_decided")) == (0 if was_undone else 1)


def test_the_same_key_again_is_the_same_hold(api: ApiClient) -> None:
    review = asked_about(api)
    first, again = hold(api, review), hold(api, review)
    assert (again.status_code, again.json()["outcome"]) == (200, "repeated")
    assert again.json()["hold"] == first.json()["hold"]
    come_due(api)
    tick(api.house)
    late = hold(api, review)
    assert (late.status_code, late.json()["hold"]["state"]) == (200, "applied")


def test_the_same_key_at_the_same_time_is_one_hold(api: ApiClient) -> None:
    review = asked_about(api)
    path, body = f"/reviews/{review['review_id']}/hold", {"payload": CLOSE, "idempotency_key": "k1"}
    answers = api.at_once([api.prepare("POST", path, WANG, json=body) for _ in range(5)])
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.json()["hold"]["hold_id"] for answer in answers}) == 1


def test_a_second_decision_is_refused_while_one_is_held(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    assert hold(api, review, key="k2", **READY).status_code == 409


def test_while_a_decision_is_held_nobody_else_comes_between(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    assert act(api, review, "claim", LI).status_code == 409
    assert act(api, review, "take-over", ZHAO).status_code == 409
    assert act(api, review, "release").status_code == 409
    assert act(api, review, "decide", LI, **READY).status_code == 409
    assert act(api, review, "undo", LI).status_code == 409
    assert api.post("/reviews/next", LI, json={}).json()["review"] is None


def test_a_manager_undoes_anothers_decision(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    assert act(api, review, "undo", ZHAO).status_code == 200
    assert found(api, review)["claimed_by"] == WANG


def test_a_review_that_another_has_is_not_decided(api: ApiClient) -> None:
    review = asked_about(api)
    act(api, review, "take", LI)
    assert hold(api, review).status_code == 409


@pytest.mark.parametrize("decision", [{"decision": "retry"}, {"decision": "classify"}, {"decision": "close"}])
def test_what_cannot_be_decided_is_refused_before_it_is_held(
    api: ApiClient, decision: dict[str, Any]
) -> None:
    review = asked_about(api)
    assert hold(api, review, **decision).status_code == 422
    assert Probe(api.house.database).value("SELECT count(*) FROM held_decisions") == 0


def test_an_order_cancelled_meanwhile_refuses_the_decision_and_says_why(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    answer = api.post(f"/tasks/{review['task_id']}/cancel", json={"reason": "客户要求"})
    assert answer.status_code == 200
    come_due(api)
    tick(api.house)
    assert state_of(api) == ("refused", "ended")
    (line,) = lines(api, review, "decision_refused")
    assert (line["metadata"]["refusal"], line["metadata"]["by"]) == ("ended", WANG)


def test_a_customer_who_calls_meanwhile_gives_the_review_back_with_the_reason(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review)
    signal = {"signal_id": "s1", "type": "customer_called", "data": {"words": "配件到了吗"}}
    answer = api.post(f"/tasks/{review['task_id']}/signals", json=signal)
    assert answer.status_code in (200, 202)
    come_due(api)
    tick(api.house)
    assert state_of(api) == ("refused", "news")
    shown = found(api, review)
    assert (shown["state"], shown["claimed_by"]) == ("open", WANG)
    assert lines(api, review, "decision_refused")[0]["metadata"]["refusal"] == "news"
    assert hold(api, review, key="k2").status_code == 200


def test_a_decision_the_orders_state_does_not_allow_gives_the_review_back(api: ApiClient) -> None:
    body = payload(metadata={"phone": None})
    api.post(START, json=body)
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    hold(api, review, **READY)
    come_due(api)
    tick(api.house)
    assert state_of(api) == ("refused", "not_allowed")
    shown = found(api, review)
    assert (shown["state"], shown["claimed_by"]) == ("open", WANG)


def test_one_decision_that_cannot_be_read_keeps_nobody_from_the_others(api: ApiClient) -> None:
    broken, sound = asked_about(api), asked_about(api)
    hold(api, broken)
    hold(api, sound)
    Probe(api.house.database).write(
        "UPDATE held_decisions SET payload = '' WHERE review_id = %s", broken["review_id"]
    )
    come_due(api)
    assert tick(api.house) == 2
    assert found(api, sound)["state"] == "decided"
    assert found(api, broken)["state"] == "open"
    refusal = "SELECT refusal FROM held_decisions WHERE review_id = %s"
    assert Probe(api.house.database).value(refusal, broken["review_id"]) == "fault"


def test_what_was_said_of_a_held_decision_stands_nowhere_in_clear(api: ApiClient) -> None:
    review = asked_about(api)
    hold(api, review, decision="close", reason="琥珀窗帘")
    (row,) = Probe(api.house.database).values("SELECT row_to_json(h)::text FROM held_decisions h")
    assert "琥珀窗帘" not in row
    assert "琥珀窗帘".encode().hex() not in row


def test_a_decision_without_a_hold_stays_as_it_is(api: ApiClient) -> None:
    review = asked_about(api)
    assert act(api, review, "decide", **CLOSE).json()["outcome"] == "applied"
    assert Probe(api.house.database).value("SELECT count(*) FROM held_decisions") == 0
