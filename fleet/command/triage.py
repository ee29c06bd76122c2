"""`unpend triage`: train the intent model, judge it on labelled utterances, see why it decides as it does.

What is learned from people's decisions is in `fleet.command.retraining` and `fleet.command.triage_record`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.command import retraining
from fleet.command.failure import CommandError
from fleet.command.location import DataDir
from fleet.command.output import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from tools.classifier.classifier import Classifier

application = typer.Typer(help="The intent model: train, evaluate, explain, retrain.", no_args_is_help=True)
application.command("retrain")(retraining.retrain)


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)


def _classifier() -> "Classifier":
    from tools.classifier.classifier import Classifier
    from tools.classifier.files import default_paths

    files = default_paths()
    return Classifier.load(files.weights, files.rules)


@application.command()
def train(
    *,
    validate: Annotated[bool, typer.Option(help="Cross-validate too: ten times as long.")] = True,
) -> None:
    """Train on config/triage/corpus and write config/triage/weights.json."""
    from tools.classifier.files import default_paths
    from tools.classifier_training.cross_validation import cross_validate
    from tools.classifier_training.training import train as train_weights

    files = default_paths()
    try:
        summary = cross_validate(files.corpus, rules=files.rules).summary() if validate else None
        report = train_weights(files.corpus, files.weights, validation=summary)
    except ModuleNotFoundError as error:
        raise CommandError(
            "training needs scikit-learn: pip install -e '.[train]', or make test once"
        ) from error
    _console().print(f"{report.corpus_size} utterances, {report.size_bytes} bytes, sha256 {report.sha256}")
    if report.cross_validation:
        _console().print_json(data=report.cross_validation, ensure_ascii=False)


@application.command()
def evaluate(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of labelled utterances, as config/triage/corpus.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="ISO", help="With --record: from then on; UTC without an offset.")
    ] = None,
    data_dir: DataDir = None,
    *,
    record: Annotated[bool, typer.Option("--record", help="Judge by people's decisions instead.")] = False,
    all_models: Annotated[
        bool, typer.Option("--all-models", help="With --record: earlier models' readings too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print how right the model is and what it would do by itself: on labelled utterances, or on the record."""
    if record is (folder is not None) or (not record and (since or all_models or as_json)):
        raise CommandError("evaluate takes a FOLDER, or --record with --since, --all-models and --json", 2)
    if folder is not None:
        _evaluate_folder(folder)
        return
    from fleet.command.triage_record import show_record

    show_record(
        data_dir, since=since, model=None if all_models else _classifier().model_hash, as_json=as_json
    )


def _evaluate_folder(folder: Path) -> None:
    from rich.table import Table

    from tools.classifier_training.dataset import load_corpus
    from tools.classifier_training.evaluation import evaluate as judge

    figures = judge(_classifier(), load_corpus(folder))
    table = Table(title=f"{figures.count} utterances", show_header=False, title_justify="left")
    for name, value in (
        ("level 1 right", figures.accuracy_level1),
        ("level 2 right", figures.accuracy_level2),
        ("expected calibration error", figures.expected_calibration_error),
        ("done by itself, of all", figures.automatic_share),
        ("right among those, level 1", figures.automatic_precision_level1),
        ("right among those, level 2", figures.automatic_precision_level2),
    ):
        table.add_row(name, f"{value:.3f}")
    table.add_row("wrong automatic cancellations", str(len(figures.wrong_automatic_cancellations)))
    _console().print(table)
    reliability = Table(title="reliability", title_justify="left")
    for heading in ("confidence", "utterances", "mean confidence", "right"):
        reliability.add_column(heading, justify="right")
    for each in figures.reliability:
        if each.count:
            between = f"{each.low:.1f}–{each.high:.1f}"
            reliability.add_row(
                between, str(each.count), f"{each.mean_confidence:.3f}", f"{each.accuracy:.3f}"
            )
    _console().print(reliability)
    confusion = Table(title="confusion: truth → read", title_justify="left")
    for heading in ("truth", "read", "utterances"):
        confusion.add_column(heading)
    for (truth, read), count in sorted(figures.confusion.items(), key=lambda row: -row[1]):
        if truth != read:
            confusion.add_row(truth, read, str(count))
    _console().print(confusion)


@application.command()
def explain(text: Annotated[str, typer.Argument(help="What a customer said.")]) -> None:
    """Say how a text is read, and why."""
    explained = _classifier().explain(text)
    _console().print(f"{explained.level2}  confidence {explained.confidence:.4f}")
    for reason in explained.guards:
        _console().print(f"  a person must look: {reason}")
    for flag in explained.flags:
        _console().print(f"  flag: {flag}")
    for hit in explained.hits:
        _console().print(f"  rule: {hit}")
    for part in explained.contributions:
        _console().print(f"  words: {part}")
