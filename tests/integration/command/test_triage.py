"""`unpend triage` on a fleet's record: what it proves, and who wins the contest."""

import json
from pathlib import Path

import pytest

from storage.labels import NewLabel
from storage.system_audit import Entry
from tests.integration.command.fleet import Fleet
from tests.small_corpus import lay_out, the_rest
from tools.classifier.classifier import Classifier
from tools.classifier_training.training import train

OTHER = "another model"


def label(
    predicted: str = "可上门",
    level2: str = "可上门",
    *,
    automatic: bool = True,
    model: str = OTHER,
    words: str = "来吧",
    task_id: str = "HT1",
) -> NewLabel:
    return NewLabel(
        task_id=task_id,
        contact_id=None,
        words=words,
        predicted_level2=predicted,
        confidence=0.9,
        automatic=automatic,
        model=model,
        level2=level2,
        source="shadow" if automatic else "review",
        labelled_by="王芳",
    )


def keep(fleet: Fleet, *labels: NewLabel) -> None:
    with fleet.house.database.transaction() as work:
        work.labels.keep(labels)


def audited(fleet: Fleet) -> list[Entry]:
    with fleet.house.database.transaction() as work:
        return work.system_audit.recent(what="intent_model_contest")


def test_the_record_says_what_is_proven_of_each_intent(fleet: Fleet) -> None:
    model = fleet.house.context.classifier.model_hash
    right = [label(model=model, task_id=f"HT{n}") for n in range(400)]
    wrong = [
        label("不再需要", "配件未到", model=model),
        label(automatic=False, level2="配件未到", model=model),
    ]
    keep(fleet, *right, *wrong, label())
    found = fleet.read("triage", "evaluate", "--record")
    proofs = {each["level2"]: each for each in found["automatic"]}
    assert proofs["可上门"]["proven"] is True
    assert (proofs["不再需要"]["precision"], proofs["不再需要"]["proven"]) == (0.0, False)
    assert proofs["配件未到"]["still_needed"] == 381
    assert (found["on_record"], found["of_other_models"], found["sent_to_people"]) == (402, 1, 1)
    assert {"person": "配件未到", "model": "不再需要", "times": 1} in found["confusion"]
    shown = fleet.run("triage", "evaluate", "--record").stdout
    assert "no, 381 more right ones are needed" in shown
    assert "left out: 1" in shown


def test_the_record_of_all_models_is_there_for_the_asking(fleet: Fleet) -> None:
    keep(fleet, label())
    assert fleet.read("triage", "evaluate", "--record")["on_record"] == 0
    assert fleet.read("triage", "evaluate", "--record", "--all-models")["on_record"] == 1


def test_the_record_begins_where_it_is_asked_to(fleet: Fleet) -> None:
    keep(fleet, label())
    assert (
        fleet.read("triage", "evaluate", "--record", "--all-models", "--since", "2999-01-01")["on_record"]
        == 0
    )
    assert fleet.run("triage", "evaluate", "--record", "--since", "gestern").exit_code == 2


def test_an_empty_record_is_no_fault(fleet: Fleet) -> None:
    assert "answers read 0" in fleet.run("triage", "evaluate", "--record").stdout


@pytest.mark.parametrize(
    "arguments", [(), ("--record", "config/triage/corpus"), ("folder", "--since", "2026-01-01")]
)
def test_evaluate_takes_a_folder_or_the_record(fleet: Fleet, arguments: tuple[str, ...]) -> None:
    assert fleet.run("triage", "evaluate", *arguments).exit_code == 2


def test_a_contest_needs_labels(fleet: Fleet) -> None:
    keep(fleet, label(words="今天下午三点以后都可以过来装"))
    result = fleet.run("triage", "retrain")
    assert result.exit_code == 1
    assert "50 are needed" in result.stderr
    assert audited(fleet) == []


def test_a_challenger_that_is_better_takes_over_and_leaves_a_record(fleet: Fleet, tmp_path: Path) -> None:
    pytest.importorskip(
        "sklearn", reason="scikit-learn is absent; it is only needed for training (extra `train`)"
    )
    files = lay_out(tmp_path / "triage", 12)
    champion = train(files.corpus, files.weights, rules=files.rules).sha256
    rows = the_rest(12, 45)
    keep(
        fleet,
        *(label(words=row.text, level2=row.level2.value, task_id=f"HT{n}") for n, row in enumerate(rows)),
    )
    retrain = (
        "triage",
        "retrain",
        "--triage-folder",
        str(files.weights.parent),
        "--by",
        "王芳",
        "--folds",
        "2",
    )

    tried = fleet.read(*retrain, "--dry-run")
    assert tried["decision"] == "switched"
    assert Classifier.load(files.weights, files.rules).model_hash == champion
    assert (audited(fleet), (tmp_path / "triage" / "history.jsonl").exists()) == ([], False)

    assert "switched:" in fleet.run(*retrain).stdout
    now = Classifier.load(files.weights, files.rules).model_hash
    (line,) = (tmp_path / "triage" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    (entry,) = audited(fleet)
    assert json.loads(line)["challenger"] == now == tried["challenger"] != champion
    assert (entry.actor, entry.detail["decision"], entry.detail["challenger"]) == ("王芳", "switched", now)
