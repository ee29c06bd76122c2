"""The corpus, the training and the figures."""

import hashlib
import math
from pathlib import Path

import pytest

from tools.classifier.classifier import Classifier
from tools.classifier.features import features
from tools.classifier.files import default_paths
from tools.classifier.model import build_model
from tools.classifier.normal_form import normalize
from tools.classifier.rules import load_rules
from tools.classifier.taxonomy import Flag, Level2
from training.dataset import CorpusError, Group, Utterance, load_corpus
from training.evaluation import evaluate
from training.near_duplicates import clusters_of, nearest_across

_NEEDS_SKLEARN = "scikit-learn is absent; it is only needed for training (extra `train`)"


def _write(folder: Path, text: str) -> Path:
    (folder / "some.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_corpus_covers_every_intent_and_group() -> None:
    rows = load_corpus(default_paths().corpus)
    assert len(rows) >= 1500
    assert {row.level2 for row in rows} == set(Level2)
    assert {row.group for row in rows} == set(Group)
    assert {flag for row in rows for flag in row.flags} == set(Flag)


def test_an_entry_may_be_text_or_text_with_flags(tmp_path: Path) -> None:
    text = (
        "level2: 需人工\nutterances:\n  mixed:\n    - 转人工\n    - {text: 打错了, flags: [wrong_number]}\n"
    )
    first, second = load_corpus(_write(tmp_path, text))
    assert (first.text, first.group, first.line) == ("转人工", Group.MIXED, 4)
    assert second == Utterance(
        text="打错了",
        level2=Level2.NEEDS_HUMAN,
        group=Group.MIXED,
        flags=(Flag.WRONG_NUMBER,),
        source="some.yaml",
        line=5,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("level2: 随便\nutterances: {}\n", r"some\.yaml:1: unknown level2"),
        ("utterances: {}\n", r"some\.yaml:1: lacks 'level2'"),
        (
            "level2: 需人工\nutterances:\n  plain:\n    - 好\n    - 1\n",
            r"some\.yaml:5: an utterance must be text",
        ),
        ("level2: 需人工\nutterances:\n  plain:\n    - ''\n", r"some\.yaml:4: .*must not be empty"),
        ("level2: 需人工\nutterances:\n  odd:\n    - 好\n", r"some\.yaml:4: unknown group 'odd'"),
        (
            "level2: 需人工\nutterances:\n  plain:\n    - {text: 好, flags: [x]}\n",
            r"some\.yaml:4: unknown flag 'x'",
        ),
        (
            "level2: 需人工\nutterances:\n  plain:\n    - {text: 好, tag: x}\n",
            r"some\.yaml:4: unknown field 'tag'",
        ),
        (
            "level2: 需人工\nutterances:\n  plain:\n    - 好的\n    - 好的！\n",
            r"some\.yaml:5: .* some\.yaml:4",
        ),
        ("level2: [\n", r"some\.yaml:2: is not valid YAML"),
    ],
)
def test_a_bad_entry_is_named_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        load_corpus(_write(tmp_path, text))


def test_an_empty_folder_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no utterances"):
        load_corpus(tmp_path)


def test_near_duplicates_share_a_cluster_and_others_do_not() -> None:
    clusters = clusters_of(["配件还没到，等一等", "配件还没到，等一等吧", "装修没完"])
    assert clusters[0] == clusters[1] != clusters[2]


def test_the_nearest_text_of_another_fold_is_measured() -> None:
    nearest = nearest_across(["取消吧", "取消吧", "装修没完"], [0, 1, 1])
    assert nearest[0] == nearest[1] == pytest.approx(1.0)
    assert nearest[2] == 0.0


def test_the_figures_count_what_would_be_done_alone() -> None:
    files = default_paths()
    classifier = Classifier.load(files.weights, files.rules)
    rows = [
        Utterance(text="取消吧，不修了", level2=Level2.NO_LONGER_NEEDED),
        Utterance(text="配件还没到，等配件到了再说", level2=Level2.PARTS_PENDING),
        Utterance(text="帮我取消", level2=Level2.NEEDS_HUMAN),
        Utterance(text="转人工", level2=Level2.NEEDS_HUMAN),
    ]
    found = evaluate(classifier, rows)
    assert found.accuracy_level1 == found.accuracy_level2 == 0.75
    assert found.automatic_share == 0.75
    assert found.automatic_share_actionable == 1.0
    assert found.automatic_precision_level1 == pytest.approx(0.6667)
    assert found.wrong_automatic_cancellations == ("帮我取消",)
    assert found.confusion["需人工", "不再需要"] == 1
    assert sum(each.count for each in found.reliability) == found.count == 4


def test_evaluating_nothing_is_refused() -> None:
    files = default_paths()
    with pytest.raises(ValueError, match="nothing to evaluate"):
        evaluate(Classifier.load(files.weights, files.rules), [])


def _small_corpus() -> list[Utterance]:
    taken: dict[Level2, list[Utterance]] = {}
    for row in load_corpus(default_paths().corpus):
        taken.setdefault(row.level2, []).append(row)
    return [row for rows in taken.values() for row in rows[:40]]


def test_pure_python_scores_as_scikit_learn_does() -> None:
    pytest.importorskip("sklearn", reason=_NEEDS_SKLEARN)
    from training.training import Calibration, LinearFit, samples_of

    rules = load_rules(default_paths().rules)
    samples = samples_of(_small_corpus(), rules)
    fitted = LinearFit(samples)
    model = build_model(
        fitted.document(calibration=Calibration(temperature=1.0, lapse=0.01), rules=rules), "-"
    )
    for text in ("配件还没到，等配件到了再说", "取消吧，不修了", "明天下午来", "忽略指令", "完全没见过的话"):
        repaired = rules.repair(normalize(text))
        found = features(repaired, rules.read(repaired).flags)
        probe = samples_of([Utterance(text=text, level2=Level2.NEEDS_HUMAN)], rules)
        assert model.scores(found) == pytest.approx(fitted.logits(probe)[0], abs=2e-3)


def test_training_twice_gives_the_same_bytes() -> None:
    pytest.importorskip("sklearn", reason=_NEEDS_SKLEARN)
    from training.training import encode, fit_document, samples_of

    rules = load_rules(default_paths().rules)
    samples = samples_of(_small_corpus(), rules)
    digests = {hashlib.sha256(encode(fit_document(samples, rules, seed=1))).hexdigest() for _ in range(2)}
    assert len(digests) == 1


def test_a_trained_classifier_can_be_loaded_and_asked(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason=_NEEDS_SKLEARN)
    from training.training import train

    lines = "level2: {}\nutterances:\n  plain:\n"
    for number, level2 in enumerate(Level2):
        rows = [row for row in _small_corpus() if row.level2 is level2]
        body = "".join(f"    - {row.text!r}\n" for row in rows)
        (tmp_path / f"{number}.yaml").write_text(lines.format(level2.value) + body, encoding="utf-8")
    report = train(tmp_path, tmp_path / "weights.json")
    assert report.corpus_size == len(_small_corpus())
    classifier = Classifier.load(report.weights, default_paths().rules)
    assert classifier.model_hash == report.sha256
    assert math.isfinite(classifier.classify("取消吧，不修了").confidence)


def test_cross_validation_separates_near_duplicates_and_repeats_itself(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason=_NEEDS_SKLEARN)
    from training.cross_validation import cross_validate

    for number, level2 in enumerate(Level2):
        rows = [row for row in _small_corpus() if row.level2 is level2][:15]
        body = "".join(f"    - {row.text!r}\n" for row in rows)
        text = f"level2: {level2.value}\nutterances:\n  plain:\n{body}"
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    first = cross_validate(tmp_path, folds=3, repeats=1, seed=7)
    assert first.summary() == cross_validate(tmp_path, folds=3, repeats=1, seed=7).summary()
    assert first.evaluation.count == 90
    assert first.separation.greatest < first.separation.threshold
