"""Those who wait for work have places, and are answered when the process stops."""

import asyncio

import pytest

from api.flows.outside.desk import MOST_OF_OWNER, MOST_WAITING, OutsideDesk
from api.server.refusal import Refusal
from engine.outcomes import Done
from engine.outside import StepReport
from schemas.core.error import Code
from statemachine.workflow.agent_states import AgentState
from tasks.flows.outside_work import GivenWork, WorkRequest, report
from tests.support.api.client import ApiClient
from tests.support.api.outside_work import OWN, poll, register, say, waiting_polls
from tests.support.engine.general_runs import begin
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe


async def present() -> bool:
    return False


def test_nobody_takes_all_the_places(house: InProcessFleet) -> None:
    async def crowd() -> list[Code]:
        desk = OutsideDesk(lambda: house.engine)
        request = WorkRequest(f"{OWN}.ghost", 1)
        refused = []
        owners = [f"owner{n}" for n in range(MOST_WAITING // MOST_OF_OWNER)]
        waiting = [
            asyncio.ensure_future(desk.ask(request, 30, owner=owner, gone=present))
            for owner in owners
            for _ in range(MOST_OF_OWNER)
        ]
        await asyncio.sleep(0)
        for owner in (owners[0], "another"):
            with pytest.raises(Refusal) as refusal:
                await desk.ask(request, 30, owner=owner, gone=present)
            refused.append(refusal.value.code)
        await desk.close()
        assert [given.steps for given in await asyncio.gather(*waiting)] == [()] * MOST_WAITING
        return refused

    assert asyncio.run(crowd()) == [Code.SERVICE_UNAVAILABLE] * 2


def test_one_owner_has_only_some_of_the_places(house: InProcessFleet) -> None:
    async def crowd() -> Code:
        desk = OutsideDesk(lambda: house.engine)
        request = WorkRequest(f"{OWN}.ghost", 1)
        waiting = [
            asyncio.ensure_future(desk.ask(request, 30, owner=OWN, gone=present))
            for _ in range(MOST_OF_OWNER)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refusal:
            await desk.ask(request, 30, owner=OWN, gone=present)
        await desk.close()
        await asyncio.gather(*waiting)
        return refusal.value.code

    assert asyncio.run(crowd()) is Code.RATE_LIMITED


def test_who_waits_is_answered_when_the_process_stops(api: ApiClient) -> None:
    register(api)
    desk = api.app.state.services.of(OutsideDesk)
    with waiting_polls(api, [(OWN, OWN)]) as (waiting,):
        api.portal.call(desk.end)
        assert waiting.result() == []
    assert api.post(f"/agents/{OWN}/poll", OWN, json={}).status_code == 503


def test_nothing_is_given_to_one_whose_connection_is_gone(house: InProcessFleet, api: ApiClient) -> None:
    register(api)
    begin(house, "refund")
    desk = api.app.state.services.of(OutsideDesk)

    async def gone() -> bool:
        return True

    async def ask() -> GivenWork:
        return await desk.ask(WorkRequest(OWN, 1), 30, owner=OWN, gone=gone)  # type: ignore[no-any-return]

    assert api.portal.call(ask) == GivenWork(None)
    assert Probe(house.database).value("SELECT count(*) FROM leases") == 0
    assert len(poll(api)) == 1


def test_reports_on_one_step_in_one_batch_go_one_after_another(house: InProcessFleet, api: ApiClient) -> None:
    register(api)
    begin(house, "refund")
    (step,) = poll(api)
    said = [
        StepReport(
            step_id=step["step_id"],
            lease_id=lease,
            outcome=Done(output={"n": n}),
            speaks_for=lambda _: True,
            by=OWN,
        )
        for n, lease in enumerate((step["lease_id"], step["lease_id"], "lease_of_nobody"))
    ]
    results = report(house.engine, said)
    assert [str(getattr(result, "value", type(result).__name__)) for result in results] == [
        "done",
        "done",
        "LeaseLost",
    ]
    assert Probe(house.database).value("SELECT output FROM steps WHERE node = 'outside'") == {"n": 0}
    assert say(api, "complete", step).json()["outcome"] == "completed"
    assert AgentState.ACTIVE.value == api.get(f"/agents/{OWN}").json()["outside"][0]["status"]


def test_a_look_that_fails_is_said_to_who_waits_and_keeps_nobody_from_the_next(house: InProcessFleet) -> None:
    engines = [None, house.engine]

    async def ask_twice() -> GivenWork:
        desk = OutsideDesk(lambda: engines.pop(0))  # type: ignore[arg-type, return-value]
        request = WorkRequest(f"{OWN}.ghost", 1)
        with pytest.raises(AttributeError):
            await desk.ask(request, 30, owner=OWN, gone=present)
        given = await desk.ask(request, 30, owner=OWN, gone=present)
        await desk.close()
        return given

    assert asyncio.run(ask_twice()) == GivenWork(None)


def test_one_that_asks_leaves_the_rows_of_those_that_wait_as_they_are(api: ApiClient) -> None:
    one, other = register(api, f"{OWN}.one"), register(api, f"{OWN}.other")
    written = "SELECT xmin::text FROM agents WHERE agent_id = %s"
    with waiting_polls(api, [(one, OWN)]) as (waiting,):
        before = Probe(api.house.database).value(written, one)
        assert poll(api, other) == []
        assert Probe(api.house.database).value(written, one) == before
        begin(api.house, "refund")
        assert len(waiting.result()) == 1
