"""Orders in every situation an API call may find them in, stopped there: nothing works on them but what a call asks."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from engine.publisher import Message
from schemas.orders.effects import OrderNoted
from statemachine.orders.states import State
from storage.flows.task_list import TaskList
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.people.reviews import Review, Reviews
from tests.support.api.client import ApiClient
from tests.support.factories import PARTS_MISSING, READY, answered, payload, silent
from tests.support.in_process_fleet import InProcessFleet

_UNCLEAR: Final = "嗯，配件到了，来吧，也可以再等等"
_CONTRADICTING: Final = "配件到了，可以安排师傅上门了，但是你们服务太差，我要投诉"
_BETWEEN: Final = 0.002


@dataclass(frozen=True, slots=True)
class Situation:
    """Where an order is stopped: its state, and how its customer behaves on the way there."""

    state: State
    script: dict[str, object] = field(default_factory=lambda: answered(PARTS_MISSING))
    review: bool = False
    due: bool = False
    """Whether the follow-up's time has come."""
    hold: bool = False
    """Whether it waits to be started."""


SITUATIONS: Final[Mapping[str, Situation]] = MappingProxyType(
    {
        "pending, review": Situation(State.PENDING, review=True),
        "pending, held": Situation(State.PENDING, hold=True),
        "contacting": Situation(State.CONTACTING),
        "no_response": Situation(State.NO_RESPONSE, silent()),
        "responded": Situation(State.RESPONDED),
        "responded, review": Situation(State.RESPONDED, answered(_UNCLEAR), review=True),
        "classified": Situation(State.CLASSIFIED),
        "classified, review": Situation(State.CLASSIFIED, answered(_CONTRADICTING), review=True),
        "action_taken": Situation(State.ACTION_TAKEN, answered(READY)),
        "waiting_followup": Situation(State.WAITING_FOLLOWUP),
        "waiting_followup, due": Situation(State.WAITING_FOLLOWUP, due=True),
        "closed": Situation(State.CLOSED, answered(READY)),
    }
)
"""By the names that `docs/routes_by_state.yaml` has."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything of an order that a refused call must leave as it was."""

    state: str
    version: int
    lifecycle: str
    steps: tuple[tuple[object, ...], ...]
    contacts: int


@dataclass(slots=True)
class StoppedOrder:
    """An order in a situation; `messages` are on their way to the fleet, and wait."""

    house: InProcessFleet
    task_id: str
    situation: Situation
    messages: deque[Message]

    @property
    def state(self) -> State:
        """The state the order is in now."""
        return self.house.order(self.task_id).status

    def snapshot(self) -> Snapshot:
        """The order as it stands."""
        with self.house.database.transaction() as work:
            order = Orders(work).find([self.task_id])[self.task_id]
            steps = OrderView(work).steps(order.run_id)
            contacts = Contacts(work).of_task(self.task_id)
            row = TaskList(work, self.house.forms.subjects).find(self.task_id)
        assert row is not None
        shown = tuple((step["step_id"], step["node"], step["state"]) for step in steps)
        return Snapshot(order.status, order.version, row.status.value, shown, len(contacts))

    def contacts(self) -> list[Contact]:
        """Every contact with its customer."""
        with self.house.database.transaction() as work:
            return list(Contacts(work).of_task(self.task_id))

    def review(self) -> Review | None:
        """The question that is open about it."""
        with self.house.database.transaction() as work:
            return next(iter(Reviews(work).list(state="open", task_id=self.task_id, limit=1)), None)

    def go_on(self) -> None:
        """Let the fleet do what was on its way."""
        self.house.wire.messages.extend(self.messages)
        self.messages.clear()
        self.house.wire.deliver(self.house.execute)


@dataclass(slots=True)
class StoppedOrders:
    """Makes orders in situations; an order that a call did not change is used again."""

    api: ApiClient
    _unchanged: dict[tuple[str, str], StoppedOrder] = field(default_factory=dict)

    def order(self, name: str, mode: str) -> StoppedOrder:
        """An order in this situation."""
        return self._unchanged.pop((name, mode), None) or self._made(SITUATIONS[name], mode)

    def keep(self, name: str, mode: str, order: StoppedOrder) -> None:
        """Have this order, which was not changed, used again."""
        self._unchanged[name, mode] = order

    def _made(self, situation: Situation, mode: str) -> StoppedOrder:
        house, script = self.api.house, [situation.script, situation.script]
        callable_ = situation.hold or situation.state is not State.PENDING
        body = payload(*script, mode=mode, hold=situation.hold, metadata={} if callable_ else {"phone": None})
        assert self.api.post("/agents/orchestrator/tasks/start", "orchestrator", json=body).status_code == 200
        stopped = StoppedOrder(house, body["task_id"], situation, deque())
        _drive(self.api, stopped, mode)
        if situation.due:
            _bring_forward(stopped)
        stopped.messages.extend(house.wire.messages)
        house.wire.messages.clear()
        assert stopped.state is situation.state
        assert (stopped.review() is not None) is situation.review
        return stopped


@contextmanager
def answering(house: InProcessFleet) -> Iterator[None]:
    """A fleet that does what is asked from now on, and nothing that was asked before."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(_BETWEEN):
            house.wire.deliver(house.execute)

    thread = threading.Thread(target=work, name="fleet of the test")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(180)
    assert not thread.is_alive()


def _drive(api: ApiClient, stopped: StoppedOrder, mode: str) -> None:
    """Take the order to its situation, step by step."""
    step = _as_caller(api, stopped) if mode == "manual" else lambda: _as_fleet(stopped.house)
    for _ in range(5):
        if stopped.state is stopped.situation.state:
            if stopped.situation.review and stopped.review() is None:
                step()
            return
        step()
    raise AssertionError(f"the order did not come to {stopped.situation.state}, it is {stopped.state}")


def _as_fleet(house: InProcessFleet) -> None:
    house.execute(house.wire.messages.popleft())


def _as_caller(api: ApiClient, stopped: StoppedOrder) -> Callable[[], None]:
    task_id = stopped.task_id
    calls: dict[State, tuple[str, dict[str, Any]]] = {
        State.CONTACTING: ("/contact/initiate", {"contact_method": "phone"}),
        State.RESPONDED: ("/triage/classify", {}),
        State.CLASSIFIED: ("/actions/execute", {"action_type": fitting(stopped)}),
        State.ACTION_TAKEN: (
            "/states/transition",
            {"from_state": "action_taken", "to_state": "closed", "event": "intent=继续"},
        ),
    }

    def call() -> None:
        path, body = calls[stopped.state]
        with answering(stopped.house):
            answer = api.post(path, json={"task_id": task_id, **body})
        assert answer.status_code == 200, answer.text

    return call


def fitting(stopped: StoppedOrder) -> str:
    """The action that the customer's words lead to."""
    ready = stopped.situation.script.get("transcript") in (READY, _CONTRADICTING)
    return "update_appointment" if ready else "schedule_followup"


def _bring_forward(stopped: StoppedOrder) -> None:
    """Let the follow-up's time have come."""
    house = stopped.house
    with house.engine.transaction() as transaction:
        now = transaction.moments.business_now
        assert transaction.bring_forward(house.order(stopped.task_id).run_id, now)
        noted = OrderNoted(task_id=stopped.task_id, changes={"next_contact_time": now})
        assert not transaction.registry.writers.apply(transaction.work, [(0, noted)])
    house.tick.sweep()
    mine = {step["step_id"] for step in house.steps(stopped.task_id)}
    kept = [m for m in house.wire.messages if any(key.step_id in mine for key in m.keys)]
    house.wire.messages.clear()
    house.wire.messages.extend(kept)
