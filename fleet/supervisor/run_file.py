"""The file with the running fleet's addresses, and the lock on its data folder."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from fleet.embedded.private_file import write_private_file


class DataDirInUseError(Exception):
    """Another fleet uses the data folder; the message names its process."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        """Name the folder and, where known, the process that holds it."""
        who = "process unknown" if pid is None else f"process {pid}"
        super().__init__(
            f"A fleet is already running in {data_dir} ({who}). Stop it first, or choose another --data-dir."
        )
        self.data_dir = data_dir
        self.pid = pid


class RunFile:
    """`DIR/run.json`: addresses, keys and processes of the running fleet. Mode 0600, for it holds secrets."""

    def __init__(self, path: Path) -> None:
        """Describe the file; nothing is touched yet."""
        self.path = path

    def write(self, document: Mapping[str, object]) -> None:
        """Replace the file, atomically for readers."""
        write_private_file(self.path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")

    def read(self) -> dict[str, object] | None:
        """Return the document; None when there is no file.

        Raises:
            ValueError: The file holds something else than a JSON object.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        document = json.loads(text)
        if not isinstance(document, dict):
            message = f"{self.path} does not hold a JSON object. Delete it and start the fleet again."
            raise ValueError(message)  # noqa: TRY004 - a broken file, not a wrong type of ours
        return document

    def remove(self) -> None:
        """Delete the file if it exists."""
        self.path.unlink(missing_ok=True)


class DataDirLock:
    """A lock on the data folder, held by the supervisor from before the servers start until all have stopped.

    The kernel releases the lock with the process, however that ends; the file stays and means nothing.
    """

    def __init__(self, data_dir: Path) -> None:
        """Describe the lock; nothing is touched yet."""
        self._data_dir = data_dir
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, making the data folder (mode 0700) if needed.

        Raises:
            DataDirInUseError: Another process holds it.
        """
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.read(descriptor, 32).strip()
            os.close(descriptor)
            raise DataDirInUseError(self._data_dir, int(written) if written.isdigit() else None) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        """Take the lock."""
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        self.release()
