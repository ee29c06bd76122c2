"""The history of the weights in use: one JSON line for every comparison, and the switch to new weights."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tools.classifier.files import ClassifierFiles
from tools.classifier.model import MANIFEST_NAME
from training.contest import Contest

HISTORY_NAME: Final = "history.jsonl"
"""The file beside the weights; lines are only ever added."""


def entry_of(contest: Contest, *, at: datetime, by: str) -> dict[str, Any]:
    """Return the history entry of a contest: hashes, figures, decision and reasons; no utterance."""
    return {
        "at": at.isoformat(timespec="seconds"),
        "by": by,
        "decision": "switched" if contest.choice.switch else "kept",
        "reasons": list(contest.choice.reasons),
        "champion": contest.champion,
        "challenger": contest.challenger,
        "rules": contest.rules,
        "corpus_size": contest.corpus_size,
        "labels_trained_on": contest.trained_on,
        "labels_left_out": contest.left_out,
        "won": contest.won,
        "lost": contest.lost,
        "held_out": asdict(contest.held_out),
        "corpus": asdict(contest.corpus),
    }


def write_down(files: ClassifierFiles, entry: Mapping[str, Any]) -> Path:
    """Append a line to the history and return its path."""
    path = files.weights.with_name(HISTORY_NAME)
    with path.open("a", encoding="utf-8") as history:
        history.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return path


def put_in_use(contest: Contest, files: ClassifierFiles) -> None:
    """Replace the champion's files by the challenger's; workers read them when they start.

    Two files change one after the other. A worker that starts in between refuses to run, as the weights are not
    those of the manifest, and is started again by whoever supervises it.
    """
    for name in (files.weights.name, MANIFEST_NAME):
        beside = files.weights.with_name(f".{name}.next")
        beside.write_bytes(contest.weights.with_name(name).read_bytes())
    for name in (files.weights.name, MANIFEST_NAME):
        files.weights.with_name(f".{name}.next").replace(files.weights.with_name(name))
