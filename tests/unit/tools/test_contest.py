"""Champion and challenger on a small corpus: what is compared, what is written, and what is left alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.small_corpus import lay_out, the_rest
from tools.classifier.classifier import Classifier
from tools.classifier.files import ClassifierFiles
from tools.classifier.model import MANIFEST_NAME
from tools.classifier.taxonomy import Level2
from training.choice import Choice
from training.contest import Contest, TooFewLabels, hold_contest
from training.history import HISTORY_NAME, entry_of, put_in_use, write_down
from training.labelled import LabelledWords
from training.training import train

pytestmark = pytest.mark.skipif(
    find_spec("sklearn") is None,
    reason="scikit-learn is absent; it is only needed for training (extra `train`)",
)

EACH = 15
AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
SEED = 7


def labels(many: int, *, truthful: bool = True) -> list[LabelledWords]:
    rows = the_rest(EACH, many)
    wrong = list(Level2)[1:] + list(Level2)[:1]
    return [
        LabelledWords(
            name=f"LAB{number:05}",
            text=row.text,
            level2=row.level2 if truthful else wrong[list(Level2).index(row.level2)],
        )
        for number, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ClassifierFiles:
    files = lay_out(tmp_path_factory.mktemp("triage"), EACH)
    train(files.corpus, files.weights, rules=files.rules, seed=SEED)
    return files


def contend(files: ClassifierFiles, given: list[LabelledWords], folder: Path) -> Contest:
    found = hold_contest(files, given, folder, folds=2, least_held_out=20, seed=SEED)
    assert isinstance(found, Contest)
    return found


@pytest.fixture(scope="module")
def contest(trained: ClassifierFiles, tmp_path_factory: pytest.TempPathFactory) -> Contest:
    """One whose challenger learned from truthful labels."""
    return contend(trained, labels(40), tmp_path_factory.mktemp("challenger"))


def test_labels_that_teach_something_make_a_better_challenger(
    trained: ClassifierFiles, contest: Contest
) -> None:
    assert contest.won > contest.lost
    assert contest.held_out.challenger.accuracy_level2 > contest.held_out.champion.accuracy_level2
    assert contest.held_out.champion.count >= 20
    assert contest.corpus_size == contest.corpus.champion.count == EACH * len(Level2)
    assert Classifier.load(trained.weights, trained.rules).model_hash == contest.champion
    manifest = json.loads(contest.weights.with_name(MANIFEST_NAME).read_text(encoding="utf-8"))
    assert manifest["labels"] == {"count": contest.trained_on, "through": labels(40)[-1].name}
    assert manifest["cross_validation"]["judged"] == contest.corpus_size
    assert Classifier.load(contest.weights, trained.rules).model_hash == contest.challenger


def test_labels_that_are_wrong_leave_the_champion_in_its_place(
    trained: ClassifierFiles, tmp_path: Path
) -> None:
    contest = contend(trained, labels(40, truthful=False), tmp_path)
    # Judged by labels that are as wrong the challenger wins; the corpus, which people reviewed, tells.
    assert not contest.choice.switch
    assert any("the corpus" in reason for reason in contest.choice.reasons)


def test_too_few_labels_train_nothing(trained: ClassifierFiles, tmp_path: Path) -> None:
    found = hold_contest(trained, labels(1), tmp_path, seed=SEED)
    assert isinstance(found, TooFewLabels)
    assert found.held_out < found.needed == 50
    assert list(tmp_path.iterdir()) == []


def test_the_winner_is_put_in_use_and_written_down(tmp_path: Path) -> None:
    files = lay_out(tmp_path / "triage", EACH)
    train(files.corpus, files.weights, rules=files.rules, seed=SEED)
    contest = replace(
        contend(files, labels(20), tmp_path / "challenger"), choice=Choice(switch=True, reasons=("better",))
    )
    put_in_use(contest, files)
    assert Classifier.load(files.weights, files.rules).model_hash == contest.challenger != contest.champion
    assert not list(files.weights.parent.glob(".*"))
    path = write_down(files, entry_of(contest, at=AT, by="王芳"))
    write_down(files, entry_of(replace(contest, choice=Choice(switch=False, reasons=())), at=AT, by="x"))
    assert path.name == HISTORY_NAME
    first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert (first["decision"], first["reasons"], first["by"]) == ("switched", ["better"], "王芳")
    assert (first["at"], first["challenger"]) == ("2026-11-21T08:00:00+00:00", contest.challenger)
    assert first["held_out"]["champion"]["count"] == contest.held_out.champion.count
    assert second["decision"] == "kept"


def test_the_history_holds_nothing_that_a_customer_said(contest: Contest) -> None:
    written = json.dumps(entry_of(contest, at=AT, by="x"), ensure_ascii=False)
    assert not [label.text for label in labels(40) if label.text in written]
