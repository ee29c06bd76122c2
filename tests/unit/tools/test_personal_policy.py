"""The declaration of personal fields: what is shipped, and what is wrong with another."""

import re
from pathlib import Path

import pytest

from runtime.personal import PersonalFields
from runtime.settings import PROJECT
from schemas.core.configuration import PolicyFileError
from tools.policies.personal import READ_IN_CLEAR, load_personal

SHIPPED = PROJECT / "config" / "policies" / "personal.yaml"


def written(folder: Path, text: str) -> Path:
    path = folder / "personal.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name",
    ["customer_name", "name", "contactName", "address", "contact_address", "building", "room", "id_number", "email",
     "e-mail", "wechat", "WeChat_ID", "姓名", "客户姓名", "地址", "详细地址", "身份证", "身份证号码", "QQ"],
)  # fmt: skip
def test_the_usual_names_are_declared(name: str) -> None:
    assert load_personal(SHIPPED).holds(name)


def test_nothing_that_the_fleet_works_with_is_declared() -> None:
    shipped = load_personal(SHIPPED)
    assert not [name for name in (*READ_IN_CLEAR, "product", "order_type") if shipped.holds(name)]


def test_every_field_of_metadata_that_the_code_reads_is_known_to_be_read() -> None:
    """A field that is declared personal would be read masked."""
    sources = [
        path for folder in ("tasks", "api", "storage") for path in (PROJECT / folder / "orders").rglob("*.py")
    ]
    read = {
        name
        for path in sources
        for name in re.findall(r"order\.metadata(?:\.get\(|\[)['\"](\w+)", path.read_text(encoding="utf-8"))
    }
    assert {"region", "timezone", "simulation"} <= read <= READ_IN_CLEAR


def test_an_installation_may_declare_nothing(tmp_path: Path) -> None:
    assert load_personal(written(tmp_path, "")) == PersonalFields()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("names: [customer_id]", r"names\.0: means customer_id, which the fleet works with .*'customer_id'"),
        ("others: [address, Time-Zone]", r"others\.1: means timezone"),
        ("others: [address, Address_2]", "'Address_2' is the same name as 'address'"),
        ("names: [name]\nothers: [name]", "'name' is the same name as 'name'"),
        ("others: ['__1']", r"others\.0: has no letter"),
        ("others: ['']", r"others\.0: .*at least 1 character"),
        (f"others: [{'x' * 65}]", r"others\.0: .*at most 64 characters"),
        ("others: address", "others: .*tuple"),
        ("fields: [address]", "fields: Extra inputs"),
        ("names: [name\nothers: [", r"personal\.yaml:2:\d+: is not valid YAML"),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyFileError, match=told) as refused:
        load_personal(path)
    assert str(path) in str(refused.value)
