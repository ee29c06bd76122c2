"""A classifier of a few utterances in a folder of its own, and the rest of the corpus as what people labelled."""

import shutil
from pathlib import Path

from tools.classifier.files import ClassifierFiles, default_paths
from tools.classifier.taxonomy import Level2
from training.dataset import Utterance, load_corpus


def by_intent() -> dict[Level2, list[Utterance]]:
    """The shipped corpus by intent."""
    found: dict[Level2, list[Utterance]] = {level2: [] for level2 in Level2}
    for row in load_corpus(default_paths().corpus):
        found[row.level2].append(row)
    return found


def lay_out(folder: Path, each: int) -> ClassifierFiles:
    """A folder as `config/triage` whose corpus holds the first utterances of every intent; nothing is trained."""
    files = ClassifierFiles.within(folder)
    files.corpus.mkdir(parents=True)
    shutil.copy(default_paths().rules, files.rules)
    for number, (level2, rows) in enumerate(by_intent().items()):
        body = "".join(f"    - {row.text!r}\n" for row in rows[:each])
        text = f"level2: {level2.value}\nutterances:\n  plain:\n{body}"
        (files.corpus / f"{number}.yaml").write_text(text, encoding="utf-8")
    return files


def the_rest(each: int, many: int) -> list[Utterance]:
    """So many further utterances of every intent, none of them in that corpus."""
    return [row for rows in by_intent().values() for row in rows[each : each + many]]
