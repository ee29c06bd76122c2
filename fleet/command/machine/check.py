"""`unpend check`: whether an installation can go live, with a remedy for whatever is not as it should be."""

from __future__ import annotations

import typer

from fleet.command.client import ADMIN, connected
from fleet.command.language import Lang
from fleet.command.location import DataDir
from fleet.command.output import AsJson, show_json, show_line
from schemas.core.language import Language


def check(data_dir: DataDir = None, language: Lang = Language.CHINESE, *, as_json: AsJson = False) -> None:
    """Go through the checklist before going live.

    Exit code 0: nothing failed, though something may be unknown; 1: something failed; 3: no fleet runs.
    """
    with connected(data_dir, ADMIN, language=language) as api:
        found = api.get("check")
    if as_json:
        show_json(found)
    else:
        for line in found["checks"]:
            remedy = "" if line["remedy"] is None else f" → {line['remedy']}"
            show_line(f"{line['state'].upper():<8} {line['title']}: {line['sentence']}{remedy}")
    raise typer.Exit(0 if found["passed"] else 1)
