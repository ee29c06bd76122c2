"""All policy files are read together: at every start, and by `unpend policy check`."""

import shutil
from pathlib import Path

import pytest

from runtime.settings import PROJECT
from schemas.core.configuration import PolicyFileError
from tools.policies.folder import Policies, look
from tools.policies.retention import DataKind, load_retention


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A copy of the project's policies."""
    shutil.copytree(PROJECT / "config" / "policies", tmp_path / "policies")
    return tmp_path


def change(config: Path, name: str, line: str, wrong: str) -> None:
    path = config / "policies" / name
    content = path.read_text(encoding="utf-8")
    assert line in content
    path.write_text(content.replace(line, wrong, 1), encoding="utf-8")


def test_every_file_of_the_folder_is_on_the_list() -> None:
    folder = PROJECT / "config" / "policies"
    assert set(look(PROJECT / "config", "standard")) == set(folder.glob("*.yaml"))


def test_the_shipped_files_can_be_used() -> None:
    assert Policies.read(PROJECT / "config", "always_open").contact.name == "always_open"


@pytest.mark.parametrize(
    ("name", "line", "wrong", "message"),
    [
        ("calendar.yaml", "country: CN", "country: XX", "calendar.yaml: country: no holidays are known"),
        ("approval.yaml", "always: []", "always: [fly]", "approval.yaml: 1 field.*\n  always.0"),
        ("shadow.yaml", "share_percent: 0", "share_percent: 200", "shadow.yaml: 1 field.*\n  share_percent"),
        ("retention.yaml", "labels: 400", "labels: -1", "retention.yaml: 1 field.*\n  days.labels"),
        ("personal.yaml", "  - weixin", "  - [weixin]", "personal.yaml: 1 field.*\n  others"),
        ("permissions.yaml", "cancel_order", "fly", "permissions.yaml: 1 field.*\n  agents.action_agent"),
        ("contact.yaml", "  standard:", "  standart:", "contact.yaml: holds no policy 'standard'.*standart"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    config: Path, name: str, line: str, wrong: str, message: str
) -> None:
    change(config, name, line, wrong)
    with pytest.raises(PolicyFileError, match=message):
        Policies.read(config, "standard")


def test_all_files_that_cannot_be_used_are_named_together(config: Path) -> None:
    change(config, "shadow.yaml", "share_percent: 0", "share_percent: 200")
    (config / "policies" / "retention.yaml").unlink()
    with pytest.raises(PolicyFileError, match=r"(?s)shadow\.yaml: .*retention\.yaml: cannot be read"):
        Policies.read(config, "standard")


def test_audit_lines_and_transitions_are_kept_for_ever_unless_they_are_named_and_nothing_else_is(
    config: Path,
) -> None:
    file = config / "policies" / "retention.yaml"
    assert set(DataKind) - load_retention(file).keys() == {DataKind.AUDIT, DataKind.TRANSITIONS}
    change(config, "retention.yaml", "  # audit: 3650", "  audit: 3650")
    assert load_retention(file)[DataKind.AUDIT].days == 3650
    change(config, "retention.yaml", "  events: 400", "  # events: 400")
    with pytest.raises(PolicyFileError, match="days lacks events"):
        load_retention(file)
