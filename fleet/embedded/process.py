"""The specification by which a supervisor runs an embedded server."""

from pathlib import Path

from fleet.embedded.postgres import EmbeddedPostgres
from fleet.embedded.valkey import EmbeddedValkey
from fleet.supervisor.process import ProcessSpec


def server_process(
    name: str, server: EmbeddedPostgres | EmbeddedValkey, port: int, log_file: Path, *, stage: int = 0
) -> ProcessSpec:
    """The process of a prepared server on this port of this machine."""
    return ProcessSpec(
        name=name,
        command=server.command(port),
        environment=server.environment,
        stage=stage,
        ready=lambda: server.ready(port),
        stop_signal=server.stop_signal,
        keeps_data=True,
        account=server.account,
        log_file=log_file,
    )
