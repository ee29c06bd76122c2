"""Errors of commands: one line on standard error and an exit code."""

import sys
from types import MappingProxyType
from typing import Any, Final

import typer
from typer.core import TyperGroup

NO_FLEET: Final = 3
"""The exit code that says that no fleet runs here."""


EXPECTED: Final = MappingProxyType(
    {
        "engine.publisher": "WireUnavailable",
        "fleet.embedded.errors": "EmbeddedServerError",
        "fleet.installation": "FleetNotRunning",
        "fleet.supervisor.process": "FleetStartError",
        "fleet.supervisor.run_file": "DataDirInUseError",
        "schemas.core.configuration": "PolicyFileError",
        "statemachine.workflow.definition": "MalformedWorkflow",
        "storage.core.unavailable": "StorageUnavailable",
        "storage.engine.definitions": "ChangedDefinition",
        "tasks.orders.upkeep.script_versions": "ChangedScript",
        "tools.classifier.model": "WeightsError",
        "tools.classifier.rules": "RulesError",
    }
)
"""What the parts below raise when something outside is not as it should be, by module; none is loaded for it."""


class CommandError(Exception):
    """What went wrong, in a line for people, and the exit code it ends with."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Commands(TyperGroup):
    """The commands; what people can mend is shown in one line, a fault of ours keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except CommandError as error:
            raise _ended(str(error), error.code) from error
        except OSError as error:
            if error.filename is None:
                raise
            raise _ended(f"{error.filename}: {error.strerror}", 1) from error
        except _expected() as error:
            raise _ended(str(error), NO_FLEET if type(error).__name__ == "FleetNotRunning" else 1) from error


def warn(message: str) -> None:
    """Tell people something beside the result of a command."""
    from runtime.mask import mask_text

    sys.stdout.flush()
    sys.stderr.write(f"unpend: {mask_text(message)}\n")
    sys.stderr.flush()


def _ended(message: str, code: int) -> typer.Exit:
    warn(message)
    return typer.Exit(code)


def _expected() -> tuple[type[Exception], ...]:
    """Those of `EXPECTED` that can have been raised: whose module is loaded."""
    return tuple(
        getattr(sys.modules[module], name) for module, name in EXPECTED.items() if module in sys.modules
    )
