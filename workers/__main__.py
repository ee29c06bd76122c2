"""`python -m workers NAME`: one process of the fleet, named by what it serves."""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    setup_logging,
    worker_process_init,
    worker_ready,
)

from engine.registry import BoundProduct
from runtime import logs
from runtime.settings import Settings, WatcherSettings
from schemas.core.agents import SYSTEM_QUEUES, TICK, UPKEEP, read_agents
from workers import feeding, redis_transport, tick, upkeep
from workers.agent import register
from workers.app import make_app
from workers.ending import bound_the_end
from workers.process import CurrentProcess, Process

OTHERS = ("beat", "intake", "exporter", "flower")
WATCHERS = (["beat"], ["exporter"], ["flower"])


def main(arguments: list[str], further: Sequence[BoundProduct] = ()) -> int:
    """Run one process until it is stopped; return its exit status."""
    settings = (WatcherSettings if arguments[:1] in WATCHERS else Settings).read()
    agents = read_agents(settings.config_folder)
    known = (*agents.queues, *SYSTEM_QUEUES, *OTHERS)
    if len(arguments) != 1 or arguments[0] not in known:
        sys.stderr.write(f"usage: python -m workers {'|'.join(known)}\n")
        return 2
    (name,) = arguments
    logs.configure(service=f"unpend-{name}", level=settings.log_level, style=settings.log_format)
    setup_logging.connect(_keep_our_logging, weak=False)
    worker_ready.connect(_mark_ready, weak=False)
    beat_init.connect(_mark_ready, weak=False)
    app = make_app(settings)
    if name in SYSTEM_QUEUES or name in agents.queues:
        concurrency = 1 if name in SYSTEM_QUEUES else agents.by_queue[name].concurrency
        current = CurrentProcess(lambda: Process(settings, app, name=name, further=further))
        _serve(app, current, name, concurrency=concurrency)
    elif name == "beat":
        app.Beat(scheduler_cls="celery.beat:Scheduler", quiet=True).run()
    elif name == "flower":
        _flower(app)
    elif name == "exporter":
        from workers.metrics.exporter import serve

        serve(settings)
    else:
        _intake(app, settings)
    return 0


def _serve(app: Celery, current: CurrentProcess, name: str, *, concurrency: int) -> None:
    from workers.inspection import answer_questions_alone, show_limits
    from workers.request import EventLoopOfConsumer

    # Before anything reaches the broker: kombu remembers which transport it has found.
    redis_transport.install()
    # Configuration that cannot be used stops the process here, with its message, and not in every child.
    if name == UPKEEP:
        upkeep.register(app, current)
    else:
        current().warm()
        tick.register(app, current) if name == TICK else register(app, current, name)
    if name == feeding.QUEUE:
        feeding.register(app, current)

    def begin_child(**_: Any) -> None:
        current.forget()
        current().warm()

    show_limits()
    answer_questions_alone()
    app.steps["consumer"].add(EventLoopOfConsumer)
    worker_process_init.connect(begin_child, weak=False)
    bound_the_end(app.conf.worker_soft_shutdown_timeout)
    pool = "solo" if name in SYSTEM_QUEUES else "prefork"
    app.worker_main(
        [
            "worker",
            f"--hostname={name}@%h",
            f"--queues={name}",
            f"--pool={pool}",
            f"--concurrency={concurrency}",
            "--without-gossip",
            "--without-mingle",
            "--loglevel=INFO",
        ]
    )


def _flower(app: Celery) -> None:
    """Flower for operators: behind a password (FLOWER_BASIC_AUTH), read only, on this machine alone."""
    if not os.environ.get("FLOWER_BASIC_AUTH"):
        raise SystemExit("set FLOWER_BASIC_AUTH=user:password; without it Flower shows its pages to anyone")
    from workers.inspection import watch_alone

    port = os.environ.get("UNPEND_FLOWER_PORT", "5555")
    address = os.environ.get("UNPEND_FLOWER_ADDRESS", "127.0.0.1")
    watch_alone(app)
    app.start(
        [
            "flower",
            f"--port={port}",
            f"--address={address}",
            "--read_only=True",
            # Workers send events without being told to, and obey no command.
            "--enable_events=False",
            "--max_tasks=10000",
            "--purge_offline_workers=600",
            "--natural_time=False",
        ]
    )


def _intake(app: Celery, settings: Settings) -> None:
    from workers.intake.process import take_in

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    process = Process(settings, app, name="intake")
    process.warm()
    _mark_ready()
    take_in(process, stopped)


def _mark_ready(**_: Any) -> None:
    """Leave the mark by which a supervisor knows that this process has begun its work."""
    mark = os.environ.get("UNPEND_READY_FILE")
    if mark:
        Path(mark).touch()


def _keep_our_logging(**_: Any) -> None:
    """Celery configures no logging of its own once this is connected."""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
