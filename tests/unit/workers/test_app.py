"""What the Celery app is told."""

from tests.support.in_process_fleet import settings_for
from workers.app import make_app


def test_a_pool_process_may_take_as_long_to_begin_as_any_other_process() -> None:
    settings = settings_for("postgresql+psycopg://nobody@127.0.0.1:1/none", ready_seconds=77.0)
    app = make_app(settings)
    assert app.conf.worker_proc_alive_timeout == 77.0
    app.close()
