"""The worker `upkeep`: called by beat, it removes what has been kept long enough, seals the audit trail, and counts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from celery import Celery

from runtime.logs import logger
from storage.core.unavailable import StorageUnavailable
from tasks.orders.upkeep.counting import count
from tasks.orders.upkeep.retention import due, go_on
from tasks.orders.upkeep.sealing import seal
from tools.policies.retention import DataKind, load_retention
from workers.app import REQUEST
from workers.process import CurrentProcess, Process

_log = logger(__name__)

_SECONDS: Final = 5.0
"""What one call may take; the worker answers pings and hears that it is to stop after each."""


def register(app: Celery, current: CurrentProcess) -> None:
    """Bind the upkeep's tasks.

    Raises:
        PolicyFileError: `config/policies/retention.yaml` cannot be used.
    """
    _kept(current())

    def remove_old() -> None:
        process = current()
        try:
            if due(process.retention_database):
                go_on(process.retention_database, _kept(process), seconds=_SECONDS)
        except StorageUnavailable as error:
            _log.warning("PostgreSQL away; the next call removes what is old", error=str(error))

    def seal_history() -> None:
        try:
            seal(current().retention_database, seconds=_SECONDS)
        except StorageUnavailable as error:
            _log.warning("PostgreSQL away; the next call seals the audit trail", error=str(error))

    def count_what_came() -> None:
        try:
            count(current().retention_database, seconds=_SECONDS)
        except StorageUnavailable as error:
            _log.warning("PostgreSQL away; the next call counts what came", error=str(error))

    app.task(count_what_came, name="upkeep.count", Request=REQUEST)
    app.task(remove_old, name="upkeep.retain", Request=REQUEST)
    app.task(seal_history, name="upkeep.seal", Request=REQUEST)


def _kept(process: Process) -> Mapping[DataKind, timedelta]:
    return load_retention(process.settings.config_folder / "policies" / "retention.yaml")
