"""The folders of the embedded servers: data and programs.

For an ordinary user that is the data folder itself. Root's servers run as an unprivileged account, which
often cannot enter the data folder (a checkout below root's own home, mode 0700), and no folder that we did
not make is ever opened up for it. So their data go to /var/lib/unpend/<hash of the data folder's path>/, and
their programs, where the account cannot run the installed ones, to /var/lib/unpend/binaries/.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.embedded.account import DEFAULT_ACCOUNT, Account, server_account
from fleet.embedded.binaries import Binaries
from fleet.embedded.errors import INSTEAD, EmbeddedServerError
from fleet.embedded.orphan import POSTGRES_TRACE, VALKEY_TRACE, stop_orphan
from fleet.embedded.private_file import write_private_file

ROOT_HOME: Final = Path("/var/lib/unpend")
_MARK: Final = "servers.id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHome:
    """The folders of one data directory's servers.

    Attributes:
        data_dir: The fleet's data folder, resolved; passwords are kept here.
        folder: Holds one folder for each server's data.
        account: Runs the servers; None when they run as ourselves.
    """

    data_dir: Path
    folder: Path
    account: Account | None

    @property
    def environment(self) -> dict[str, str]:
        """The complete environment of a server, without any variable of ours or PG*."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def prepare(self) -> None:
        """Create the missing folders.

        Root's servers live apart from the data folder, so the same random mark lies in both. When the mark
        is gone from the data folder, someone deleted that folder to start over: what the servers still have
        is moved aside, one generation deep, instead of coming back from the dead.

        Raises:
            EmbeddedServerError: A folder cannot be made or belongs to someone else.
        """
        try:
            _make_folder(self.data_dir, 0o700)
            if self.account is not None:
                _make_folder(ROOT_HOME, 0o755)
                self._refuse_foreign_data()
                self._move_aside_unless_ours()
                _make_folder(self.folder, 0o755)
                self._mark()
        except OSError as error:
            raise EmbeddedServerError(
                f"Cannot prepare {error.filename or self.folder} for the embedded servers: {error.strerror}. "
                f"Start as a user who may write there, choose another --data-dir, {INSTEAD}."
            ) from error

    def make_server_folder(self, name: str) -> Path:
        """Return a server's private folder (mode 0700, the account's own), made unless it exists."""
        path = self.folder / name
        if _make_folder(path, 0o700) and self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)
        return path

    def programs(self, binaries: Binaries, probe: str) -> Path:
        """Return the folder of the programs, a copy if the account cannot run the installed ones.

        Args:
            binaries: The package to take them from.
            probe: A program of it that is tried with `--version`: modes, access lists and mount options all
                count, so only running it tells.

        Raises:
            EmbeddedServerError: The account can run neither.
        """
        installed = binaries.installed()
        if self._runs(installed / probe):
            return installed
        tried = installed
        if self.account is not None:
            _make_folder(ROOT_HOME / "binaries", 0o755)
            tried = binaries.copied_to(ROOT_HOME / "binaries")
            if self._runs(tried / probe):
                return tried
        who = "This user" if self.account is None else f"The account '{self.account.name}'"
        raise EmbeddedServerError(
            f"{who} cannot run {tried / probe}. The folder may be mounted noexec or closed to others, or "
            f"this container may not change users: start as an ordinary user, {INSTEAD}."
        )

    def run(self, command: list[str], *, seconds: float) -> subprocess.CompletedProcess[str]:
        """Run a server's program to its end as the account, with its output captured.

        Raises:
            OSError: It cannot be started.
            subprocess.TimeoutExpired: It took longer than `seconds` and was killed.
        """
        account = self.account
        return subprocess.run(  # noqa: S603 - the programs of our own packages with our own arguments
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            cwd="/",
            env=self.environment,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            start_new_session=True,
        )

    def remove(self) -> None:
        """Delete the data that root's servers keep outside the data folder; they must not be running."""
        if self.account is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            shutil.rmtree(self._aside, ignore_errors=True)

    @property
    def _aside(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.previous")

    def _runs(self, program: Path) -> bool:
        try:
            return self.run([str(program), "--version"], seconds=20).returncode == 0
        except OSError:
            return False

    def _refuse_foreign_data(self) -> None:
        if (self.data_dir / "postgres" / "PG_VERSION").exists():
            raise EmbeddedServerError(
                f"{self.data_dir} holds the servers' data of an ordinary user and we are root. "
                f"Start as the user {self.data_dir.stat().st_uid} or choose another --data-dir."
            )

    def _move_aside_unless_ours(self) -> None:
        mark = self.data_dir / _MARK
        theirs = self.folder / _MARK
        if not self.folder.exists():
            return
        if mark.exists() and theirs.exists() and mark.read_bytes() == theirs.read_bytes():
            return
        for trace in (POSTGRES_TRACE, VALKEY_TRACE):
            stop_orphan(self.folder, trace)
        shutil.rmtree(self._aside, ignore_errors=True)
        self.folder.rename(self._aside)

    def _mark(self) -> None:
        if not (self.folder / _MARK).exists():
            mark = secrets.token_hex(16)
            write_private_file(self.folder / _MARK, mark)
            write_private_file(self.data_dir / _MARK, mark)


def server_home(data_dir: Path, *, account_name: str = DEFAULT_ACCOUNT) -> ServerHome:
    """Return the folders of the servers of `data_dir`: always the same for the same folder and user.

    Args:
        data_dir: The fleet's data folder; need not exist yet.
        account_name: The account to run them as when we are root.

    Raises:
        EmbeddedServerError: We are root and there is no such account.
    """
    data_dir = data_dir.resolve()
    account = server_account(account_name)
    folder = data_dir
    if account is not None:
        folder = ROOT_HOME / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return ServerHome(data_dir=data_dir, folder=folder, account=account)


def _make_folder(path: Path, mode: int) -> bool:
    """Make the folder with exactly this mode and say so; one that exists is left as it is."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        if path.is_dir():
            return False
        raise
    # mkdir's own mode is cut by the umask, which is often 077 for root.
    path.chmod(mode)
    return True
