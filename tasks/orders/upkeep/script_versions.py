"""Stores the digest of every script version, so that a contact's log always names the words really used."""

from typing import Final

from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from tools.scripts.script import Scripts

REGISTERED: Final = "script_registered"
"""What the system audit says of a version that was there for the first time."""

_MOST: Final = 1_000_000


class ChangedScript(ValueError):
    """A version that contacts may name came with other words; it needs a new version."""


def register_scripts(database: Database, scripts: Scripts) -> None:
    """Keep the digest of every version's words in the system audit; the same words again are fine.

    Raises:
        ChangedScript: a version that is registered has other words; nothing was written.
    """
    with database.transaction() as work:
        entries = SystemAudit(work).recent(what=REGISTERED, limit=_MOST)
        known = {str(entry.detail["script"]): str(entry.detail["digest"]) for entry in entries}
        for script in scripts.all:
            digest = known.get(script.reference)
            if digest is None:
                detail = {"script": script.reference, "digest": script.digest}
                SystemAudit(work).write("fleet", REGISTERED, detail)
            elif digest != script.digest:
                raise ChangedScript(
                    f"script '{script.script_id}' version {script.version} was used with other words before, and the "
                    "logs of contacts name it; put the old words back and write the new ones as a higher version "
                    "(docs/scripts.md)"
                )
