"""`unpend triage`: trains the intent model, evaluates it on labelled utterances, explains its decisions.

What is learned from people's decisions is in `training.command.retraining` and `training.command.record`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from fleet.command.failure import CommandError
from fleet.command.language import Lang
from fleet.command.location import DataDir
from fleet.command.output import AsJson, show_json, show_line
from schemas.core.language import Language
from training.command import retraining

if TYPE_CHECKING:
    from tools.classifier.classifier import Classifier


class _Training(TyperGroup):
    """The commands; a corpus that cannot be used is told in one line."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        from training.dataset import CorpusError

        try:
            return super().invoke(ctx)
        except CorpusError as error:
            raise CommandError(str(error)) from error


application = typer.Typer(
    cls=_Training,
    help="The intent model: train, evaluate, explain, retrain.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
application.command("retrain")(retraining.retrain)


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
    from training.cross_validation import cross_validate
    from training.training import train as train_weights

    files = default_paths()
    try:
        summary = cross_validate(files.corpus, rules=files.rules).summary() if validate else None
        report = train_weights(files.corpus, files.weights, validation=summary)
    except ModuleNotFoundError as error:
        raise CommandError(
            "training needs scikit-learn: pip install -e '.[train]', or make test once"
        ) from error
    show_line(f"{report.corpus_size} utterances, {report.size_bytes} bytes, sha256 {report.sha256}")
    if report.cross_validation:
        show_json(report.cross_validation)


@application.command()
def evaluate(
    labelled: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE_OR_FOLDER",
            help="Labelled utterances: YAML as config/triage/corpus, or CSV with the columns text and level2.",
        ),
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
    """Print how often the model is right and what it would do without a person: on utterances, or on the record."""
    if record is (labelled is not None) or (not record and (since or all_models)):
        raise CommandError("evaluate takes a FILE_OR_FOLDER, or --record with --since and --all-models", 2)
    if labelled is not None:
        from training.command.evaluation import show_evaluation

        show_evaluation(_classifier(), labelled, as_json=as_json)
        return
    from training.command.record import show_record

    show_record(
        data_dir, since=since, model=None if all_models else _classifier().model_hash, as_json=as_json
    )


@application.command()
def explain(
    text: Annotated[str, typer.Argument(help="What a customer said.")],
    *,
    language: Lang = Language.CHINESE,
    as_json: AsJson = False,
) -> None:
    """Print the classification of a text, and why."""
    from schemas.people.wording import worded

    explained = _classifier().explain(text)
    if as_json:
        show_json(explained)
        return
    show_line(f"{explained.level2}  confidence {explained.confidence:.4f}")
    for why in explained.guards:
        show_line(f"  a person must look: {worded(why, language)}")
    for flag in explained.flags:
        show_line(f"  flag: {flag}")
    for hit in explained.hits:
        show_line(f"  rule {hit.rule}: “{hit.words}” speaks for {hit.intent} ({hit.weight:+g})")
    for part in explained.contributions:
        show_line(f"  words “{part.feature}” speak for {part.intent} ({part.weight:+.2f})")
