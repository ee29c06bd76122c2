"""The classifier's files: a wrong one is refused, with a message that tells what to do."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.classifier.classifier import Classifier
from tools.classifier.files import default_paths
from tools.classifier.model import MANIFEST_NAME, WeightsError
from tools.classifier.normal_form import MAX_LENGTH, normalize
from tools.classifier.rules import RulesError, load_rules


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    files = default_paths()
    for path in (files.weights, files.weights.with_name(MANIFEST_NAME), files.rules):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_the_shipped_weights_are_those_of_the_manifest(copied: Path) -> None:
    manifest = json.loads((copied / MANIFEST_NAME).read_text(encoding="utf-8"))
    classifier = Classifier.load(copied / "weights.json", copied / "rules.yaml")
    assert classifier.model_hash == manifest["sha256"]
    assert manifest["corpus_size"] >= 1500
    assert manifest["cross_validation"]["accuracy_level1"] >= 0.90


def test_changed_weights_are_refused(copied: Path) -> None:
    weights = copied / "weights.json"
    weights.write_bytes(weights.read_bytes() + b"\n")
    with pytest.raises(WeightsError, match=r"weights\.json: its sha256 is"):
        Classifier.load(weights, copied / "rules.yaml")


def test_weights_of_other_rules_are_refused(copied: Path) -> None:
    rules = copied / "rules.yaml"
    rules.write_bytes(rules.read_bytes() + b"# changed\n")
    with pytest.raises(WeightsError, match="trained with other rules"):
        Classifier.load(copied / "weights.json", rules)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        Classifier.load(tmp_path / "weights.json", default_paths().rules)


def test_a_bad_pattern_names_the_file_and_the_rule(copied: Path) -> None:
    rules = copied / "rules.yaml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("- 来吧|过来吧", "- (来吧|过来吧", 1), encoding="utf-8")
    with pytest.raises(RulesError, match=r"rules\.yaml: the rule come_now holds a bad pattern"):
        load_rules(rules)


def test_an_unknown_word_of_the_vocabulary_is_named(copied: Path) -> None:
    rules = copied / "rules.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("<parts>", "<spares>", 1), encoding="utf-8")
    with pytest.raises(RulesError, match="spares"):
        load_rules(rules)


def test_scoring_needs_neither_scikit_learn_nor_numpy() -> None:
    code = (
        "import sys; from tools.classifier.classifier import Classifier;"
        "from tools.classifier.files import default_paths;"
        "f = default_paths(); Classifier.load(f.weights, f.rules).classify('取消吧');"
        "sys.exit(any(name in sys.modules for name in ('sklearn', 'numpy', 'scipy')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False, timeout=180
    )
    assert done.returncode == 0


@given(text=st.text(max_size=600))
def test_a_normal_form_is_short_and_final(text: str) -> None:
    once = normalize(text)
    assert len(once) <= MAX_LENGTH
    assert normalize(once) == once
