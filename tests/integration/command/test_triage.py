"""`unpend triage` on a fleet's record: what it proves, and who wins the contest."""

import json
from pathlib import Path

import pytest

from storage.access.system_audit import SystemAudit, SystemAuditEntry
from storage.orders.labels import Labels, NewLabel
from tests.support.command_line import CommandLine
from tests.support.small_corpus import lay_out, the_rest
from tools.classifier.classifier import Classifier
from training.training import train

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


def keep(fleet: CommandLine, *labels: NewLabel) -> None:
    with fleet.house.database.transaction() as work:
        Labels(work).keep(labels)


def audited(fleet: CommandLine) -> list[SystemAuditEntry]:
    with fleet.house.database.transaction() as work:
        return SystemAudit(work).recent(what="intent_model_contest")


def test_the_record_says_what_is_proven_of_each_intent(fleet: CommandLine) -> None:
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


def test_the_record_of_all_models_is_there_for_the_asking(fleet: CommandLine) -> None:
    keep(fleet, label())
    assert fleet.read("triage", "evaluate", "--record")["on_record"] == 0
    assert fleet.read("triage", "evaluate", "--record", "--all-models")["on_record"] == 1


def test_the_record_begins_where_it_is_asked_to(fleet: CommandLine) -> None:
    keep(fleet, label())
    assert (
        fleet.read("triage", "evaluate", "--record", "--all-models", "--since", "2999-01-01")["on_record"]
        == 0
    )
    assert fleet.run("triage", "evaluate", "--record", "--since", "gestern").exit_code == 2


def test_an_empty_record_is_no_fault(fleet: CommandLine) -> None:
    assert "answers read 0" in fleet.run("triage", "evaluate", "--record").stdout


@pytest.mark.parametrize(
    "arguments", [(), ("--record", "config/triage/corpus"), ("folder", "--since", "2026-01-01")]
)
def test_evaluate_takes_a_folder_or_the_record(fleet: CommandLine, arguments: tuple[str, ...]) -> None:
    assert fleet.run("triage", "evaluate", *arguments).exit_code == 2


LABELLED = {
    "set.csv": "text,level2,group\n配件还没到呢,配件未到,plain\n今天就可以上门,可上门,\n",
    "set.yaml": "level2: 配件未到\nutterances:\n  plain:\n    - 配件还没到呢\n",
    "mixed.yml": "- {text: 配件还没到呢, level2: 配件未到}\n- {text: 打错了, level2: 需人工, flags: [wrong_number]}\n",
}


@pytest.mark.parametrize(("name", "count"), [("set.csv", 2), ("set.yaml", 1), ("mixed.yml", 2)])
def test_a_file_of_labelled_utterances_is_judged_alone_or_in_its_folder(
    fleet: CommandLine, tmp_path: Path, name: str, count: int
) -> None:
    folder = tmp_path / "held out"
    folder.mkdir()
    (folder / name).write_text(LABELLED[name], encoding="utf-8")
    for place in (folder / name, folder):
        figures = fleet.read("triage", "evaluate", str(place))
        assert (figures["utterances"], len(figures["model"])) == (count, 64)
        assert f"{count} utterances" in fleet.run("triage", "evaluate", str(place)).stdout


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("absent.yaml", None, "cannot be read (No such file"),
        ("absent", None, "no folder and no .yaml or .csv file"),
        ("set.yaml", "level2: 随便\nutterances: {}\n", "set.yaml:1: unknown level2"),
        ("set.yaml", "a\x00b", "set.yaml:1: is not valid YAML"),
        (
            "set.yaml",
            "level2: 需人工\nlevel2: 可上门\nutterances: {}\n",
            "set.yaml:2: 'level2' stands here twice",
        ),
        ("set.yaml", "- {text: 好, level2: 可上门, note: x}\n", "set.yaml:1: unknown field 'note'"),
        ("set.csv", "text,intent\n好,可上门\n", "set.csv:1: the first line must name"),
        ("set.csv", "text,level2\n好,可以\n", "set.csv:2: unknown level2 '可以'"),
        ("set.csv", "text,level2\n好\n", "set.csv:2: must have 2 values"),
        ("set.csv", "text,level2,flags\n好,可上门,loud\n", "set.csv:2: unknown flag 'loud'"),
        ("set.csv", "text,level2\n好,可上门\n好,配件未到\n", "set.csv:3: '好' stands already in set.csv:2"),
        ("set.csv", "text,level2\n", "holds no utterances"),
    ],
)
def test_utterances_that_cannot_be_used_are_told_in_a_line(
    fleet: CommandLine, tmp_path: Path, name: str, content: str | None, told: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = fleet.run("triage", "evaluate", str(path))
    assert result.exit_code == 1
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_text_is_explained_in_lines_for_people(fleet: CommandLine) -> None:
    shown = fleet.run("triage", "explain", "不修了，取消吧[已退款]").stdout
    assert "rule cancel: “，取消吧” speaks for 不再需要" in shown
    assert "words “取消” speak for 不再需要" in shown
    assert "RuleHit" not in shown
    assert fleet.read("triage", "explain", "不修了，取消吧")["level2"] == "不再需要"


def test_a_contest_needs_labels(fleet: CommandLine) -> None:
    keep(fleet, label(words="今天下午三点以后都可以过来装"))
    result = fleet.run("triage", "retrain")
    assert result.exit_code == 1
    assert "50 are needed" in result.stderr
    assert audited(fleet) == []


def test_a_challenger_that_is_better_takes_over_and_leaves_a_record(
    fleet: CommandLine, tmp_path: Path
) -> None:
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
