"""A file of the configuration is read strictly: what cannot be meant is refused with its place."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from schemas.core.configuration import PolicyFileError, read_policy_file


class Anything(BaseModel):
    """A document whose one field takes anything, and whose check may overflow."""

    value: Any = None
    other: Any = None

    @field_validator("other")
    @classmethod
    def _countable(cls, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value


def read(folder: Path, content: str) -> Anything:
    path = folder / "given.yaml"
    path.write_text(content, encoding="utf-8")
    return read_policy_file(path, Anything)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("value: 1\nvalue: 2\n", r"given\.yaml:2:1: .*the key 'value' stands in line 1 already"),
        ("value:\n  - {a: 1, b: 2, a: 3}\n", r"given\.yaml:2:18: .*the key 'a' stands in line 2 already"),
        ("value: 2027-02-30\n", r"given\.yaml:1:8: .*'2027-02-30' is no value: day"),
        ("value: [1, {at: 2027-13-01}]\n", r"given\.yaml:1:17: .*'2027-13-01' is no value"),
        (f"value: {'9' * 5000}\n", r"given\.yaml:1:8: .*is no value"),
        ("other: .inf\n", r"given\.yaml: a number is too large"),
        ("value: [\n", r"given\.yaml:2:1: is not valid YAML"),
        ("value: \x07\n", r"given\.yaml: is not valid YAML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(PolicyFileError, match=message):
        read(tmp_path, content)


def test_a_key_may_stand_in_two_mappings_and_be_merged_into_another(tmp_path: Path) -> None:
    content = "value: &one {a: 1, b: 2}\nother:\n  <<: *one\n  a: 3\n"
    assert read(tmp_path, content).other == {"a": 3, "b": 2}
