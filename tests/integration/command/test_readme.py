"""The README's own workflow is carried to its end by the commands that stand there."""

import re
import shlex

from runtime.settings import PROJECT
from tests.support.command_line import CommandLine


def commands_of_the_readme() -> list[list[str]]:
    """The arguments of each `unpend` of the section about a workflow of one's own."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## A workflow of your own")[2].partition("\n## ")[0]
    return [
        shlex.split(line, comments=True)
        for line in re.findall(r"^\.venv/bin/unpend (.+)$", section, re.MULTILINE)
    ]


def test_the_workflow_of_the_readme_is_added_and_comes_to_what_it_says(fleet: CommandLine) -> None:
    printed = []
    for arguments in commands_of_the_readme():
        if arguments == ["run", "list"]:
            fleet.house.run()
        result = fleet.run(
            *(str(PROJECT / each) if each.startswith("examples/") else each for each in arguments)
        )
        assert result.exit_code == 0, result.stderr
        printed.append(result.stdout)
    (execution_id,) = re.findall(r"exec_[0-9a-f]+", printed[-2])
    assert execution_id in printed[-1]
    shown = fleet.run("run", "show", execution_id).stdout
    assert re.search(r'came to \{"total": 120, "report": "[^"]+"\}', shown), shown
