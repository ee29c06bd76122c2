"""The events of an execution over a WebSocket: who may listen, what is told, where it goes on (SPEC.md §6)."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from api.outbound import event_socket
from api.outbound.streams.broadcast import Broadcast
from storage.access.keys import Keys
from tests.support.api.client import ApiClient, api_over, key_of, register_keys
from tests.support.api.websocket import Closed, Conversation, Denied, speaking
from tests.support.factories import PARTS_MISSING, answered, submission
from tests.support.in_process_fleet import InProcessFleet


@dataclass(slots=True)
class EventSockets:
    """Opens sockets to one API."""

    api: ApiClient

    def to(
        self, execution_id: str, agent: str | None = "operator", prefix: str = "/v1", **headers: str
    ) -> AbstractContextManager[Conversation]:
        """A socket to an execution, with the agent's key in the header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if agent is not None:
            named["Authorization"] = f"Bearer {key_of(agent)}"
        return speaking(self.api.portal, self.api.app, f"{prefix}/ws/executions/{execution_id}", named)


@pytest.fixture
def line(house: InProcessFleet) -> Iterator[EventSockets]:
    """The API over one process's parts, for sockets."""
    register_keys(house)
    with api_over(house) as api:
        yield EventSockets(api)


def run_of(house: InProcessFleet, *script: dict[str, object]) -> str:
    """The run of an order that was taken in."""
    given = submission(*script or (answered(),))
    house.accept(given)
    return house.order(given.body.task_id).run_id


def code_of(conversation: Conversation) -> int:
    """The code it is closed with, before anything is told."""
    with pytest.raises(Closed) as closed:
        conversation.hear()
    return closed.value.code


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_an_execution_is_told_from_its_beginning_to_its_end(
    house: InProcessFleet, line: EventSockets, prefix: str
) -> None:
    run_id = run_of(house)
    with line.to(run_id, prefix=prefix) as conversation:
        assert conversation.hear()["event_type"] == "task_received"
        house.run()
        events, code = conversation.rest()
    assert code == event_socket.Close.COMPLETE
    assert events[-1]["event_type"] == "task_closed"
    assert {event["execution_id"] for event in events} == {run_id}


def test_a_browser_sends_the_key_as_a_subprotocol_which_is_not_answered(
    house: InProcessFleet, line: EventSockets
) -> None:
    run_id = run_of(house)
    house.run()
    offered = [event_socket.SUBPROTOCOL, f"key.{key_of('operator')}"]
    path = f"/v1/ws/executions/{run_id}"
    with speaking(line.api.portal, line.api.app, path, {}, offered) as conversation:
        assert conversation.rest()[1] == event_socket.Close.COMPLETE
        assert conversation.subprotocol == event_socket.SUBPROTOCOL


def test_a_message_with_another_key_renews_the_first(house: InProcessFleet, line: EventSockets) -> None:
    run_id = run_of(house)
    with line.to(run_id) as conversation:
        first = conversation.hear()
        conversation.say(json.dumps({"authorization": f"Bearer {key_of('admin')}", "after": first["id"]}))
        house.run()
        assert conversation.rest()[1] == event_socket.Close.COMPLETE
    with line.to(run_of(house)) as conversation:
        conversation.hear()
        conversation.say('{"authorization": "Bearer nobody"}')
        assert conversation.rest()[1] == event_socket.Close.UNAUTHORIZED


def test_a_place_sent_later_is_where_it_goes_on(house: InProcessFleet, line: EventSockets) -> None:
    run_id = run_of(house, answered(PARTS_MISSING))
    house.run()
    with line.to(run_id) as conversation:
        events = [conversation.hear() for _ in range(4)]
        conversation.say(json.dumps({"after": events[0]["id"]}))
        assert [conversation.hear() for _ in range(3)] == events[1:]


def denied(line: EventSockets, execution_id: str, agent: str | None = "operator", **headers: str) -> int:
    """The HTTP status by which a socket is refused before it is accepted."""
    with pytest.raises(Denied) as refused, line.to(execution_id, agent, **headers):
        pass
    error = json.loads(refused.value.body)["error"]
    assert error["code"]
    return refused.value.status


@pytest.mark.parametrize("agent", [None, "nobody"])
def test_no_socket_is_accepted_without_a_key_of_ours(
    house: InProcessFleet, line: EventSockets, agent: str | None
) -> None:
    assert denied(line, run_of(house), agent) == 401


def test_a_key_that_may_not_read_is_not_enough(house: InProcessFleet, line: EventSockets) -> None:
    with house.database.transaction() as work:
        Keys(work).register(key_of("writer"), "writer", ["audit"])
    assert denied(line, run_of(house), "writer") == 403


def test_an_agent_that_is_not_the_keys_is_refused(house: InProcessFleet, line: EventSockets) -> None:
    assert denied(line, run_of(house), x_agent_id="audit_agent") == 403


def test_sockets_are_measured_as_requests_are_accepted_or_refused(
    house: InProcessFleet, line: EventSockets
) -> None:
    run_id = run_of(house)
    house.run()
    with line.to(run_id) as conversation:
        conversation.rest()
    denied(line, run_id, "nobody")
    shown = line.api.get("/metrics", None).text
    for status in ("101", "401"):
        assert f'method="GET",route="/v1/ws/executions/{{execution_id}}",status="{status}"' in shown


def test_sockets_of_one_key_are_capped(house: InProcessFleet, line: EventSockets) -> None:
    run_id = run_of(house)
    broadcast = line.api.app.state.services.of(Broadcast)
    broadcast._most_of_owner = 1
    with line.to(run_id) as conversation:
        conversation.hear()
        assert denied(line, run_id) == 429
        with line.to(run_id, "admin") as another:
            another.hear()


def test_another_key_of_the_same_owner_gets_no_further_share(
    house: InProcessFleet, line: EventSockets
) -> None:
    with house.database.transaction() as work:
        for key in ("first", "second"):
            Keys(work).register(key_of(key), "wangfang", ["read"])
    line.api.app.state.services.of(Broadcast)._most_of_owner = 1
    run_id = run_of(house)
    with line.to(run_id, "first") as conversation:
        conversation.hear()
        assert denied(line, run_id, "second") == 429


@pytest.mark.parametrize("execution_id", ["exec_404", "x" * 300, "a\x00b", "执行"])
def test_an_unknown_execution_is_not_found(line: EventSockets, execution_id: str) -> None:
    assert denied(line, execution_id) == 404


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("hello", event_socket.Close.UNREADABLE),
        ("[]", event_socket.Close.UNREADABLE),
        ('{"key": "x"}', event_socket.Close.UNREADABLE),
        ('{"after": "' + "1" * 2000 + '"}', event_socket.Close.UNREADABLE),
        ('{"after": "x"}', event_socket.Close.UNKNOWN_PLACE),
        ('{"after": "9000000000-1"}', event_socket.Close.UNKNOWN_PLACE),
    ],
)
def test_what_cannot_be_read_ends_the_conversation(
    house: InProcessFleet, line: EventSockets, said: str, code: int
) -> None:
    run_id = run_of(house, answered(PARTS_MISSING))
    with line.to(run_id) as conversation:
        conversation.hear()
        conversation.say(said)
        _, closed_with = conversation.rest()
    assert closed_with == code


def test_without_the_database_one_is_asked_to_try_again() -> None:
    house = InProcessFleet.build("postgresql+psycopg://nobody:swordfish@127.0.0.1:1/nothing")
    with api_over(house) as api:
        assert denied(EventSockets(api), "exec_1") == 503


def test_a_process_that_stops_says_so(house: InProcessFleet, line: EventSockets) -> None:
    with line.to(run_of(house)) as conversation:
        conversation.hear()
        line.api.portal.call(line.api.app.state.services.end)
        _, code = conversation.rest()
    assert code == event_socket.Close.STOPPING
