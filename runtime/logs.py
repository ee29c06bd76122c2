"""JSON logs in ECS fields: every line has its request, task and step, and no phone numbers."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

from runtime.mask import mask_text

_ECS: Final[Mapping[str, str]] = {
    "event": "message",
    "level": "log.level",
    "logger": "log.logger",
    "timestamp": "@timestamp",
    "exception": "error.stack_trace",
    "request_id": "http.request.id",
    "trace_id": "trace.id",
}
_LABELS: Final = frozenset({"task_id", "step_id", "run_id", "queue", "action", "agent", "lease_id", "batch"})


def configure(*, service: str, level: str = "INFO", style: str = "json") -> None:
    """Write all logs of this process, the libraries' included, to standard output in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        _mask,
        # These are ours and hold no numbers of people, so they come after the mask.
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [_ecs(service), structlog.processors.JSONRenderer(ensure_ascii=False)]
        if style == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    structlog.configure(
        # The level is asked first: a line that is not wanted costs nothing.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        ),
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These tell of every request and every message at INFO; ours tell of steps.
    for noisy in (
        "httpx2",
        "httpcore2",
        "kombu",
        "celery.redirected",
        "celery.worker.strategy",
        "celery.app.trace",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger; ids bound with `structlog.contextvars` appear in every line."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def _mask(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        # What structlog carries along for itself is taken away before rendering.
        if not key.startswith("_"):
            event[key] = _shown(value)
    return event


def _shown(value: object) -> object:
    """A value as it may stand in a line: masked however deep it lies and whatever it is made of."""
    match value:
        case None | bool() | float():
            shown: object = value
        case int():
            digits = str(value)
            masked = mask_text(digits)
            shown = value if masked == digits else masked
        case Mapping():
            shown = {mask_text(str(key)): _shown(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            shown = [_shown(inner) for inner in value]
        case _:
            shown = mask_text(value if isinstance(value, str) else repr(value))
    return shown


def _ecs(service: str) -> structlog.typing.Processor:
    def render(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line: dict[str, Any] = {"ecs.version": "8.11", "service.name": service}
        for key, value in event.items():
            name = _ECS.get(key) or (f"labels.{key}" if key in _LABELS else key)
            line[name] = value
        return line

    return render
