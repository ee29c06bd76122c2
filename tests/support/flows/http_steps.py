"""Runs of one HTTP step over a real database, in this process."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import SecretStr

from engine.actions import Action
from runtime.cipher import Cipher
from storage.core.database import Database
from tasks.flows.context import FlowsContext
from tests.support.engine.general_runs import begin
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.probe import Probe
from tools.http_requests.http_file import HostLine
from tools.http_requests.resolving import resolve
from tools.http_requests.rules import HttpRules
from tools.http_requests.sender import HttpSender, OutgoingRequest

SECRET: Final = "s3cret/of+the pay"
VARIABLE: Final = "UNPEND_SECRET_PAY"
CALLBACKS: Final = "https://unpend.example/v1"


def here(*ports: int, **line: Any) -> HostLine:
    """A line for a server of the tests."""
    return HostLine(ports=frozenset(ports), private=True, http=True, **line)


def rules(hosts: Mapping[str, HostLine]) -> HttpRules:
    """Rules for these hosts, with one secret."""
    return HttpRules(hosts, {"PAY": VARIABLE, "UNSET": "UNPEND_SECRET_UNSET"}, {VARIABLE: SecretStr(SECRET)})


def workflow(name: str, parameters: Mapping[str, Any], **step: Any) -> dict[str, Any]:
    """A workflow of one HTTP step."""
    made = {"id": "ask", "agent": "general", "action": "http", "parameters": dict(parameters), **step}
    return {"workflow": name, "version": "1", "steps": [made]}


@dataclass(slots=True)
class HttpHouse:
    """A process that makes HTTP requests, and what became of its steps."""

    fleet: InProcessFleet

    def begin(self, workflow_name: str, **variables: Any) -> str:
        """Begin a run of a workflow; its id."""
        (run_id,) = begin(self.fleet, workflow_name, variables=variables)
        return run_id

    def step(self, run_id: str) -> Any:
        """The first step of a run: its state, output and error."""
        return Probe(self.fleet.database).row(
            "SELECT step_id, state, output, error, tries, delivery FROM steps WHERE run_id = %s "
            "ORDER BY step_id LIMIT 1",
            run_id,
        )

    def due(self) -> None:
        """Let every pause before a retry be over."""
        Probe(self.fleet.database).write(
            "UPDATE steps SET due_at = clock_timestamp() WHERE state = 'scheduled'"
        )

    def run_through(self) -> None:
        """Run, retries included, until nothing is left to do but to wait for the world."""
        for _ in range(10):
            self.fleet.run()
            self.due()
        self.fleet.run()


@contextmanager
def http_house(
    database_url: str,
    hosts: Mapping[str, HostLine],
    *workflows: Mapping[str, Any],
    resolver: Any = resolve,
    actions: Sequence[Action] = (),
) -> Iterator[HttpHouse]:
    """A process with these hosts and workflows."""
    database = Database(database_url, Cipher(CIPHER_KEY))
    flows = FlowsContext(database, lambda: HttpSender(rules(hosts), resolver=resolver), CALLBACKS)
    fleet = InProcessFleet.build(
        database_url, database=database, flows=flows, workflows=workflows, actions=actions
    )
    try:
        yield HttpHouse(fleet)
    finally:
        fleet.close()


class ToTheServer(HttpSender):
    """Sends what the rules of the page allow to a server of the tests, which has another port and no certificate."""

    def __init__(self, rules: HttpRules, port: int) -> None:
        super().__init__(rules)
        lines = {
            name: line.model_copy(update={"ports": {port}, "private": True, "http": True})
            for name, line in rules.hosts.items()
        }
        self._allowed = rules
        self._port = port
        self._real = HttpSender(replace(rules, hosts=lines), resolver=lambda *_: ["127.0.0.1"])

    def send(self, request: OutgoingRequest) -> Any:
        host = self._allowed.destination(request.method, request.url).host
        url = request.url.replace(f"https://{host}", f"http://{host}:{self._port}")
        return self._real.send(replace(request, url=url))
