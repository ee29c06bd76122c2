"""What beat and tick do for the worker `outbound` meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.rescue.tick import Tick
from tests.support.in_process_fleet import settings_for
from tests.support.waiting import wait_until
from workers.app import make_app
from workers.process import Process


@contextmanager
def beating(database_url: str, broker_url: str) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """What waits until a condition holds while the worker is called to feed and the tick sweeps."""
    settings = settings_for(database_url, broker_url)
    app = make_app(settings)
    process = Process(settings, app, name="test")
    tick = Tick(process.engine, process.publisher)

    def wait(condition: Callable[[], bool]) -> None:
        def held() -> bool:
            if process.publisher.depths(["outbound"])["outbound"] == 0:
                app.send_task("outbound.feed", queue="outbound")
            tick.sweep()
            return condition()

        wait_until(held, seconds=90)

    try:
        yield wait
    finally:
        process.engine.close()
        process.database.close()
