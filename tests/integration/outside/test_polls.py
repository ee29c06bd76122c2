"""Outside agents ask for work: who is given what, and how they wait for it (WORKFLOWS.md §3)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event

from statemachine.workflow.states import RunState
from storage.engine.offers import OfferClaim, Offers
from storage.flows.agents import OutsideAgents
from tasks.flows.outside_work import WorkRequest, give, nothing_for
from tests.support.api.client import ApiClient
from tests.support.api.outside_work import OTHER, OWN, poll, register, say, waiting_polls
from tests.support.engine.general_runs import begin, nodes_of, state_of
from tests.support.factories import answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.waiting import wait_until


def test_a_step_is_given_with_what_its_agent_needs_and_its_result_leads_on(api: ApiClient) -> None:
    register(api)
    (run_id,) = begin(api.house, "refund", variables={"order": "SO1", "amount": 120}, priority=7)
    (step,) = poll(api, max=5)
    assert step["lease_id"].startswith("lease_")
    assert {name: step[name] for name in step if name not in ("lease_id", "step_id", "idempotency_key")} == {
        "action": "refunds",
        "task_id": run_id,
        "workflow": "refund",
        "node": "outside",
        "priority": 7,
        "input": {"order": "SO1", "amount": 120, "currency": "USD"},
        "parameters": {"currency": "USD"},
        "lease_seconds": 60.0,
        "delivery": 1,
        "progress": None,
    }
    answer = say(api, "complete", step, output={"receipt": "R-1"})
    assert answer.json() == {"success": True, "step_id": step["step_id"], "outcome": "completed"}
    api.house.run()
    assert state_of(api.house, run_id) is RunState.COMPLETED
    given = Probe(api.house.database).value("SELECT input FROM steps WHERE node = 'inside'")
    assert given == {"receipt": "R-1"}


def test_polls_at_once_never_get_the_same_step(api: ApiClient) -> None:
    agents = [register(api, f"{OWN}.{n}", max_concurrent=10) for n in range(6)]
    begin(api.house, "refund", runs=40)
    calls = [
        api.prepare("POST", f"/agents/{agent}/poll", OWN, json={"max": 5}) for agent in agents for _ in "ab"
    ]
    steps = [step["step_id"] for answer in api.at_once(calls) for step in answer.json()["steps"]]
    assert len(steps) == len(set(steps)) == 40


def test_two_processes_at_once_never_give_the_same_step(api: ApiClient, database_url: str) -> None:
    for n in range(4):
        register(api, f"{OWN}.{n}", max_concurrent=50)
    begin(api.house, "refund", runs=100)
    other = InProcessFleet.build(database_url)
    engines = [api.house.engine, other.engine] * 2
    with ThreadPoolExecutor(4) as threads:
        given = [
            step.step.step_id
            for _ in range(4)
            for answers in threads.map(lambda n: give(engines[n], [WorkRequest(f"{OWN}.{n}", 10)]), range(4))
            for answer in answers
            for step in answer.steps
        ]
    other.close()
    assert len(given) == len(set(given))
    assert len(given) >= 40


def test_an_agent_holds_no_more_than_it_may_whatever_it_asks_for(api: ApiClient) -> None:
    register(api, max_concurrent=3)
    begin(api.house, "refund", runs=9)
    calls = [api.prepare("POST", f"/agents/{OWN}/poll", OWN, json={"max": 2}) for _ in range(4)]
    given = [step for answer in api.at_once(calls) for step in answer.json()["steps"]]
    assert len(given) == 3
    assert poll(api, max=10) == []
    assert api.get(f"/agents/{OWN}").json()["outside"][0]["status"] == "busy"
    say(api, "complete", given[0])
    assert len(poll(api, max=10)) == 1


def test_an_agent_that_asks_two_processes_at_once_holds_no_more_than_it_may(api: ApiClient) -> None:
    register(api, max_concurrent=3)
    begin(api.house, "refund", runs=9)
    last = Probe(api.house.database).values("SELECT step_id FROM steps ORDER BY step_id DESC LIMIT 2")
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as threads:
        with api.house.database.transaction() as work:
            OutsideAgents(work).several([OWN], lock=True)
            Offers(work).claim([OfferClaim(step_id, f"lease_{step_id}", OWN) for step_id in last], 60)
            second = threads.submit(give, api.house.engine, [WorkRequest(OWN, 3)])
            wait_until(lambda: Probe(api.house.database).value(waits) or second.done())
        assert len(second.result()[0].steps) == 1


def test_the_most_urgent_step_is_given_first(api: ApiClient) -> None:
    register(api, max_concurrent=9)
    for priority in (2, 9, 5):
        begin(api.house, "refund", priority=priority)
    assert [step["priority"] for step in poll(api, max=2)] == [9, 5]
    assert [step["priority"] for step in poll(api, max=2)] == [2]


def test_a_poll_that_waits_is_answered_as_soon_as_there_is_work(api: ApiClient) -> None:
    register(api)
    with waiting_polls(api, [(OWN, OWN)]) as (waiting,):
        begin(api.house, "refund")
        assert [step["action"] for step in waiting.result()] == ["refunds"]


def test_what_follows_from_a_report_goes_to_who_waits(api: ApiClient) -> None:
    register(api, f"{OWN}.one", "refunds", max_concurrent=1)
    begin(api.house, "refund", runs=2)
    (first,) = poll(api, f"{OWN}.one")
    with waiting_polls(api, [(f"{OWN}.one", OWN)]) as (waiting,):
        say(api, "complete", first)
        (second,) = waiting.result()
    assert second["step_id"] != first["step_id"]


def test_of_agents_that_wait_the_one_with_the_lowest_load_gets_the_step(api: ApiClient) -> None:
    busy, idle = (
        register(api, f"{OWN}.busy", max_concurrent=4),
        register(api, f"{OWN}.idle", max_concurrent=2),
    )
    begin(api.house, "refund", runs=2)
    assert len(poll(api, busy, max=2)) == 2
    with waiting_polls(api, [(busy, OWN), (idle, OWN)]) as (of_busy, of_idle):
        begin(api.house, "refund")
        assert len(of_idle.result()) == 1
        begin(api.house, "refund")
        assert len(of_busy.result()) == 1


def test_steps_are_shared_out_by_load_among_those_who_wait(api: ApiClient) -> None:
    asked = [(register(api, f"{OWN}.{n}", max_concurrent=8), OWN) for n in range(4)]
    with waiting_polls(api, asked, max=8) as waiting:
        begin(api.house, "refund", runs=8)
        assert [len(each.result()) for each in waiting] == [2, 2, 2, 2]


def test_many_who_wait_cost_as_many_statements_as_one(api: ApiClient) -> None:
    agents = [register(api, f"{OWN}.{n}") for n in range(30)]
    counted: Counter[int] = Counter()
    event.listen(api.house.database._engine, "before_cursor_execute", lambda *_: counted.update([len(asked)]))
    for asked in ([agents[0]], agents):
        assert nothing_for(api.house.engine, [WorkRequest(agent, 5) for agent in asked]) is not None
    assert counted[1] == counted[30] == 3


def test_a_step_is_for_whoever_has_all_that_it_needs(api: ApiClient) -> None:
    register(api, f"{OWN}.one", "refunds")
    register(api, f"{OWN}.two", "translation", "refunds", "cooking")
    begin(api.house, "both")
    assert poll(api, f"{OWN}.one") == []
    assert [step["action"] for step in poll(api, f"{OWN}.two")] == ["refunds"]


def test_a_step_that_names_a_role_or_an_agent_is_for_no_other(api: ApiClient) -> None:
    register(api, f"{OWN}.plain", max_concurrent=5)
    register(api, f"{OWN}.worker", role="worker", max_concurrent=5)
    register(api, f"{OTHER}.r2", key=OTHER, max_concurrent=5)
    for name in ("by_role", "by_id", "for_anybody"):
        begin(api.house, name)
    assert [s["workflow"] for s in poll(api, f"{OTHER}.r2", key=OTHER, max=1)] == ["by_id"]
    assert [s["workflow"] for s in poll(api, f"{OWN}.worker", max=1)] == ["by_role"]
    assert [s["workflow"] for s in poll(api, f"{OWN}.plain", max=5)] == ["for_anybody"]


def test_what_only_one_may_have_hides_nothing_from_the_others(api: ApiClient) -> None:
    register(api, f"{OWN}.worker", role="worker", max_concurrent=1)
    register(api, f"{OTHER}.r2", key=OTHER, max_concurrent=1)
    begin(api.house, "by_role", runs=3, priority=9)
    begin(api.house, "by_id")
    calls = [
        api.prepare("POST", f"/agents/{agent}/poll", key, json={})
        for agent, key in ((f"{OWN}.worker", OWN), (f"{OTHER}.r2", OTHER))
    ]
    given = [answer.json()["steps"] for answer in api.at_once(calls)]
    assert [[step["workflow"] for step in steps] for steps in given] == [["by_role"], ["by_id"]]


def test_looking_takes_nothing(api: ApiClient) -> None:
    register(api, max_concurrent=1)
    begin(api.house, "refund", runs=2)
    shown = api.get(f"/agents/{OWN}/offered", OWN).json()["steps"]
    assert [step["action"] for step in shown] == ["refunds", "refunds"]
    assert "lease_id" not in shown[0]
    assert [step["step_id"] for step in poll(api)] == [shown[0]["step_id"]]


def test_a_paused_run_is_given_to_nobody_until_it_goes_on(api: ApiClient) -> None:
    register(api)
    (run_id,) = begin(api.house, "refund")
    api.post(f"/tasks/{run_id}/pause")
    assert poll(api) == []
    api.post(f"/tasks/{run_id}/resume")
    assert len(poll(api)) == 1


def test_a_step_that_is_paused_or_taken_before_it_is_claimed_is_not_claimed(api: ApiClient) -> None:
    (paused, taken) = begin(api.house, "refund", runs=2)
    api.post(f"/tasks/{paused}/pause")
    register(api)
    poll(api)
    ids = Probe(api.house.database).values("SELECT step_id FROM steps")
    with api.house.database.transaction() as work:
        claims = [OfferClaim(step_id, f"lease_{step_id}", OWN) for step_id in ids]
        assert Offers(work).claim(claims, 60) == []
        assert Offers(work).held() == {OWN: 1}
    assert nodes_of(api.house, taken) == {"outside": ["leased"]}


@pytest.mark.parametrize("path", [f"/agents/{OWN}/poll", f"/agents/{OWN}/offered"])
def test_a_key_asks_for_its_own_agents_only(api: ApiClient, path: str) -> None:
    register(api)
    begin(api.house, "refund")
    method = "POST" if path.endswith("poll") else "GET"
    body: dict[str, Any] = {"json": {}} if method == "POST" else {}
    assert api.call(method, path, OTHER, **body).status_code == 403
    assert api.call(method, path, "contact_agent", **body).status_code == 403
    assert len(poll(api)) == 1


def test_an_agent_that_never_registered_is_given_nothing(api: ApiClient) -> None:
    assert api.post(f"/agents/{OWN}.ghost/poll", OWN, json={}).status_code == 404
    assert api.get(f"/agents/{OWN}.ghost/offered", OWN).status_code == 404


@pytest.mark.parametrize("body", [{"max": 0}, {"max": 101}, {"wait_seconds": 31}, {"wait_seconds": -1}])
def test_a_poll_that_makes_no_sense_is_refused(api: ApiClient, body: dict[str, float]) -> None:
    register(api)
    assert api.post(f"/agents/{OWN}/poll", OWN, json=body).status_code == 422


def test_a_step_that_nobody_can_do_is_shown_as_offered_and_fails_when_its_time_is_up(api: ApiClient) -> None:
    register(api)
    (run_id,) = begin(api.house, "unheard_of")
    assert poll(api) == []
    queues = api.get("/health").json()["fleet"]["queues"]
    assert queues["outside"]["offered"] == 1
    assert api.house.leap() is False, "time does not jump over what waits for an agent"
    probe = Probe(api.house.database)
    probe.write("UPDATE steps SET due_at = business_now() WHERE node = 'outside'")
    api.house.run()
    assert state_of(api.house, run_id) is RunState.FAILED
    assert probe.value("SELECT error->>'code' FROM runs") == "caller_vanished"


def test_steps_of_orders_hold_nothing_for_outside_agents(api: ApiClient) -> None:
    api.house.accept(submission(answered("明天上午可以")))
    api.house.run()
    wanted = Probe(api.house.database).values("SELECT DISTINCT wanted FROM steps")
    assert wanted == [None]


def test_a_step_for_outside_agents_is_not_taken_by_a_call_of_a_product(api: ApiClient) -> None:
    (run_id,) = begin(api.house, "refund", manual=True)
    step_id = Probe(api.house.database).value("SELECT step_id FROM steps")
    with api.house.engine.transaction() as transaction:
        assert transaction.take(step_id, {}) is False
    assert nodes_of(api.house, run_id) == {"outside": ["offered"]}
