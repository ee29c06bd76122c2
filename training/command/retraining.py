"""`unpend triage retrain`: trains a challenger with people's decisions, and uses it only if it is better."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.command.failure import CommandError, warn
from fleet.command.location import DataDir
from fleet.command.orders.task import By, name_of
from fleet.command.output import AsJson, show_json, show_line, show_table
from fleet.direct import opened

if TYPE_CHECKING:
    from tools.classifier.files import ClassifierFiles
    from training.choice import Comparison
    from training.contest import Contest
    from training.labelled import LabelledWords

_WHAT = "intent_model_contest"
"""The contest's line in the system's audit."""


def retrain(
    data_dir: DataDir = None,
    by: By = None,
    repeats: Annotated[int, typer.Option(min=1, max=10, help="How often to cross-validate.")] = 1,
    folds: Annotated[
        int, typer.Option(min=2, max=20, help="In how many parts the corpus is cut for it.")
    ] = 5,
    triage_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where corpus, rules and weights are; config/triage when not named."
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare, and change and record nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train on the corpus and people's decisions; switch to the result only when it is better."""
    from tools.classifier.files import ClassifierFiles, default_paths

    who = name_of(by) or "operator"
    files = ClassifierFiles.within(triage_folder) if triage_folder else default_paths()
    lessons = _lessons(data_dir)
    with tempfile.TemporaryDirectory(prefix="unpend-challenger-") as folder:
        contest = _contest(files, lessons, Path(folder), folds=folds, repeats=repeats)
        entry = _settle(contest, files, by=who, dry_run=dry_run)
    if not dry_run:
        _notify_fleet(data_dir, who, entry)
    if as_json:
        show_json({**entry, "dry_run": dry_run})
        return
    _show(contest, dry_run=dry_run)


def _lessons(data_dir: Path | None) -> list[LabelledWords]:
    """What the labels of the fleet teach."""
    from runtime.cipher import UnreadableCiphertext
    from storage.orders.labels import Labels
    from training.label_conversion import training_text_of

    with opened(data_dir) as database, database.snapshot(statement_seconds=60.0) as work:
        labels = Labels(work).given()
    try:
        found = [training_text_of(label) for label in labels]
    except UnreadableCiphertext as error:
        raise CommandError(f"{error}; the labels need the key they were written with") from error
    return [lesson for lesson in found if lesson is not None]


def _contest(
    files: ClassifierFiles, lessons: list[LabelledWords], folder: Path, *, folds: int, repeats: int
) -> Contest:
    from tools.classifier.model import WeightsError
    from tools.classifier.rules import RulesError
    from training.contest import TooFewLabels, hold_contest
    from training.dataset import CorpusError

    try:
        contest = hold_contest(files, lessons, folder, folds=folds, repeats=repeats)
    except ModuleNotFoundError as error:
        raise CommandError(
            "training needs scikit-learn: pip install -e '.[train]', or make test once"
        ) from error
    except (WeightsError, RulesError, CorpusError) as error:
        raise CommandError(str(error)) from error
    if isinstance(contest, TooFewLabels):
        raise CommandError(
            f"nothing was trained: {contest.held_out} held-out texts of {len(lessons)} labels are too few to "
            f"compare models on, {contest.needed} are needed; people's decisions on reviews make labels"
        )
    return contest


def _settle(contest: Contest, files: ClassifierFiles, *, by: str, dry_run: bool) -> dict[str, Any]:
    """Put the better one in use and write down what was decided, unless it is only a trial."""
    from training.history import entry_of, put_in_use, write_down

    entry = entry_of(contest, at=datetime.now(UTC), by=by)
    if dry_run:
        return entry
    if contest.choice.switch:
        put_in_use(contest, files)
    write_down(files, entry)
    return entry


def _notify_fleet(data_dir: Path | None, by: str, entry: dict[str, Any]) -> None:
    """Leave a line in the system's audit; the history file has it all, so a fleet that is gone is only told of."""
    from storage.access.system_audit import SystemAudit
    from storage.core.unavailable import StorageUnavailable

    try:
        with opened(data_dir) as database, database.transaction() as work:
            SystemAudit(work).write(by, _WHAT, entry)
    except (CommandError, StorageUnavailable) as error:
        warn(f"the system's audit was not written: {error}; history.jsonl beside the weights has the record")


def _show(contest: Contest, *, dry_run: bool) -> None:
    show_line(
        f"challenger {contest.challenger[:12]}, trained on {contest.corpus_size} utterances and "
        f"{contest.trained_on} labelled texts; champion {contest.champion[:12]}"
    )
    _show_comparison("held-out labels", contest.held_out)
    _show_comparison("the corpus, cross-validated", contest.corpus)
    verb = ("would switch" if dry_run else "switched") if contest.choice.switch else "the champion stays"
    show_line(f"{verb}:")
    for reason in contest.choice.reasons:
        show_line(f"  {reason}")
    if contest.choice.switch and not dry_run:
        show_line("workers read the new weights when they start: stop the fleet and start it again")


def _show_comparison(where: str, found: Comparison) -> None:
    from dataclasses import asdict

    old, new = asdict(found.champion), asdict(found.challenger)
    show_table(
        ("", "champion", "challenger"),
        [(name.replace("_", " "), f"{old[name]:g}", f"{new[name]:g}") for name in old],
        title=where,
    )
