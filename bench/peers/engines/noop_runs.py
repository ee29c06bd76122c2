"""Ours, like for like: a product whose workflow is six steps of nothing, on the engine and its Celery workers."""

import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import yaml

from bench.peers.peer import STEPS, WORKERS, Ground, Peer, RunningPeer, carrying
from engine.actions import ActionDeclaration, Batch, EffectClass
from engine.begin import Begin
from engine.catalogue import register
from engine.outcomes import Done, Outcome
from engine.registry import Product
from runtime.cipher import Cipher
from runtime.ids import Prefix, new_id
from runtime.settings import PROJECT, Settings
from schemas.core.agents import FILE, TICK
from storage.core.migrate import migrate
from tasks.registry import PRODUCTS
from workers.__main__ import main
from workers.app import make_app
from workers.process import Process

QUEUE: Final = "noop"
"""The queue of the action that does nothing, `rest`."""
_TRIGGER: Final = "noop.asked"
_DEFINITION: Final[Mapping[str, object]] = {
    "workflow": "noops",
    "version": "1",
    "trigger": _TRIGGER,
    "steps": [
        {"id": f"noop_{number}", "agent": QUEUE, "action": "rest"}
        | ({"next": f"noop_{number + 1}"} if number < STEPS else {})
        for number in range(1, STEPS + 1)
    ],
}
_DONE: Final = "SELECT count(*) FROM runs WHERE workflow = 'noops' AND state = 'completed'"


def _rest(_: None, batch: Batch) -> Mapping[int, Outcome]:
    return {step.step_id: Done() for step in batch.steps}


NOOPS: Final[Product[None]] = Product(
    name="noops",
    triggers=frozenset({_TRIGGER}),
    actions=(ActionDeclaration(name=f"{QUEUE}.rest", effect=EffectClass.PURE, work=_rest),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoopFleet:
    """A worker with two processes that does nothing, with the tick and beat beside it, and the bench's own parts."""

    process: Process
    parts: Mapping[str, psutil.Process]

    def begin(self, count: int) -> None:
        """Begin so many runs of six steps, in one transaction."""
        with self.process.engine.transaction() as transaction:
            (workflow,) = transaction.catalogue.triggered_by(transaction.work, _TRIGGER)
            transaction.begin([Begin(run_id=new_id(Prefix.RUN), workflow=workflow) for _ in range(count)])


@contextmanager
def noop_fleet(ground: Ground, *definitions: Mapping[str, Any]) -> Iterator[NoopFleet]:
    """Start the processes on this ground; further definitions are known beside that of six steps."""
    given = {
        "database_url": ground.sqlalchemy_url,
        "broker_url": ground.broker_url,
        "cipher_key": Cipher.new_key(),
        "callback_secret": secrets.token_urlsafe(32),
        "config_folder": str(_configuration(ground.folder / "config")),
        "log_level": "WARNING",
    }
    settings = Settings.model_validate(given)
    process = Process(settings, make_app(settings), name="bench", further=(NOOPS.bind(None),))
    migrate(ground.sqlalchemy_url)
    with process.database.transaction() as work:
        bodies = [_DEFINITION, *definitions]
        register(work, bodies, products=(*PRODUCTS, NOOPS), queues=process.agents.queues)

    # The worker of the queue has two processes; the tick and beat find what is due, as in every fleet.
    commands = {name: (__name__, name) for name in (QUEUE, TICK, "beat")}
    environment = {f"UNPEND_{name.upper()}": value for name, value in given.items()}
    try:
        with ground.processes(commands, environment) as parts:
            yield NoopFleet(process=process, parts=parts)
    finally:
        process.database.close()


@contextmanager
def _run(ground: Ground) -> Iterator[RunningPeer]:
    with noop_fleet(ground) as fleet:
        yield RunningPeer(carry=carrying(ground, fleet.begin, lambda: ground.count(_DONE)), parts=fleet.parts)


def _configuration(folder: Path) -> Path:
    """The configuration as it is, with one agent more."""
    shutil.copytree(PROJECT / "config", folder, ignore=shutil.ignore_patterns("corpus"))
    agents = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
    agents[QUEUE] = {"concurrency": WORKERS}
    (folder / FILE).write_text(yaml.safe_dump(agents), encoding="utf-8")
    return folder


NOOP_RUNS: Final = Peer(name="ours-noop", run=_run)

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], further=(NOOPS.bind(None),)))
