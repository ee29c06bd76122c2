"""The Celery app: one queue an agent, JSON only, late acknowledgement, PostgreSQL owning every retry."""

from collections.abc import Mapping
from typing import Any, Final

from celery import Celery
from kombu import Exchange, Queue

from beat_schedule import BEAT_SCHEDULE
from runtime.settings import Settings
from schemas.core.agents import SYSTEM_QUEUES, TICK, read_agents

REQUEST: Final = "workers.request:AcknowledgedRequest"
"""What Celery makes of a message; a task names it."""

HARD_LIMIT_MARGIN: Final = 10
"""Seconds from a message's soft limit to its hard one."""

VISIBILITY_TIMEOUT: Final = 180
"""Seconds until the broker delivers an unacknowledged message again: above every hard limit."""

_LARGEST_CHILD: Final = 500_000
"""Kilobytes at which a pool process ends after its message and a fresh one takes its place."""


def make_app(settings: Settings) -> Celery:
    """The app of this process; nothing is connected yet."""
    app = Celery("unpend", set_as_current=False)
    app.conf.update(_configuration(settings))
    return app


def _configuration(settings: Settings) -> Mapping[str, Any]:
    every = (*read_agents(settings.config_folder).queues, *SYSTEM_QUEUES)
    return {
        "broker_url": settings.broker_url.get_secret_value(),
        "result_backend": None,
        "task_ignore_result": True,
        "accept_content": ["json"],
        "task_serializer": "json",
        "enable_utc": True,
        "timezone": "UTC",
        "task_queues": [Queue(name, Exchange(name, type="direct"), routing_key=name) for name in every],
        "task_create_missing_queues": False,
        "task_default_queue": TICK,
        "task_default_exchange": TICK,
        "task_default_routing_key": TICK,
        "task_routes": {f"{name}.*": {"queue": name} for name in every},
        "task_acks_late": True,
        "task_reject_on_worker_lost": False,
        "task_acks_on_failure_or_timeout": True,
        "worker_prefetch_multiplier": 1,
        # Celery's own 4 s end every pool process of a busy machine before it has begun, again and again.
        "worker_proc_alive_timeout": settings.ready_seconds,
        "worker_max_memory_per_child": _LARGEST_CHILD,
        "worker_soft_shutdown_timeout": settings.soft_shutdown_seconds,
        "worker_enable_soft_shutdown_on_idle": False,
        # PostgreSQL fences what goes on without its broker (docs/decisions/0007).
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
            **settings.sentinel_options,
        },
        "beat_schedule": BEAT_SCHEDULE,
        "beat_max_loop_interval": 1,
    }
