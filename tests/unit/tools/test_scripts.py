"""Scripts: what customers are told, checked when it is loaded, and filled for one order."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runtime.personal import PersonalFields
from runtime.settings import PROJECT
from schemas.core.configuration import PolicyFileError
from schemas.orders.contact import Channel
from tools.scripts.checking import ADVERTISING, findings, longest, sms_parts
from tools.scripts.document import load_script, load_scripts
from tools.scripts.rendering import GAP, Rendered, Unrenderable, render
from tools.scripts.script import Script

PERSONAL = PersonalFields.of(["customer_name"], ["address"])
SHIPPED = PROJECT / "config" / "scripts"
PRODUCT: dict[str, Any] = {"meaning": "产品", "default": "家电", "longest": 10}


def document(**changes: Any) -> dict[str, Any]:
    return {
        "script_id": "visit",
        "version": 1,
        "variables": {"product": PRODUCT},
        "channels": {
            "phone": {"opening": "您好，我是智能语音助手。", "text": "您的{product}可以上门吗？"},
            "sms": {"text": "您的{product}可以上门吗？请回复。"},
        },
    } | changes


def written(folder: Path, name: str = "visit.yaml", **changes: Any) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(document(**changes), allow_unicode=True), encoding="utf-8")
    return path


def script(folder: Path, **changes: Any) -> Script:
    return load_script(written(folder, **changes), PERSONAL)


def test_every_script_that_is_shipped_can_be_used_without_a_warning() -> None:
    loaded = load_scripts(SHIPPED, PERSONAL)
    assert loaded.find("pending_task_v1") is not None
    assert [finding for each in loaded.all for finding in findings(each, PERSONAL)] == []


@pytest.mark.parametrize("channel", list(Channel))
@given(product=st.text(max_size=30), order_type=st.sampled_from(["未上门", "已上门"]))
def test_whatever_an_order_says_the_shipped_words_have_no_gap_left(
    channel: Channel, product: str, order_type: str
) -> None:
    shipped = load_scripts(SHIPPED, PERSONAL).find("pending_task_v1")
    assert shipped is not None
    rendered = render(shipped, channel, {"product": product, "order_type": order_type})
    assert isinstance(rendered, Rendered)
    assert len(rendered.text) <= longest(shipped, shipped.channels[channel])
    assert GAP.findall(rendered.text.replace(rendered.variables["product"], "")) == []


def test_a_call_begins_by_saying_that_a_machine_speaks(tmp_path: Path) -> None:
    rendered = render(script(tmp_path), Channel.PHONE, {"product": "空调"})
    assert rendered == Rendered(
        text="您好，我是智能语音助手。您的空调可以上门吗？", variables={"product": "空调"}
    )


@pytest.mark.parametrize("value", [None, "", "  ", 7.5, True, ["空调"], "一" * 11])
def test_what_cannot_be_said_gives_way_to_the_default(tmp_path: Path, value: object) -> None:
    rendered = render(script(tmp_path), Channel.SMS, {"product": value})
    assert isinstance(rendered, Rendered)
    assert rendered.text == "您的家电可以上门吗？请回复。"


def test_a_variable_without_a_value_or_default_is_a_problem_that_names_it(tmp_path: Path) -> None:
    variables = {"product": {"meaning": "产品"}}
    rendered = render(script(tmp_path, variables=variables), Channel.SMS, {})
    assert rendered == Unrenderable(("话术 visit:1 缺少变量 product (产品)",))


def test_a_channel_without_words_is_a_problem(tmp_path: Path) -> None:
    assert render(script(tmp_path), Channel.IM, {}) == Unrenderable(("话术 visit:1 没有 im 渠道的文案",))


def test_a_value_with_a_gap_in_it_is_not_filled_again(tmp_path: Path) -> None:
    rendered = render(script(tmp_path), Channel.SMS, {"product": "{product}"})
    assert isinstance(rendered, Rendered)
    assert rendered.text == "您的{product}可以上门吗？请回复。"


def test_the_highest_version_holds_unless_one_is_pinned(tmp_path: Path) -> None:
    for version in (2, 10, 1):
        written(tmp_path, f"v{version}.yaml", version=version)
    scripts = load_scripts(tmp_path, PERSONAL)
    found = [scripts.find(name) for name in ("visit", "visit:2", "visit:3", "other")]
    assert [each.version if each else None for each in found] == [10, 2, None, None]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"variables": {}}, "{product} is not declared"),
        ({"variables": {"product": PRODUCT, "brand": PRODUCT}}, "variables.brand: is used in no channel"),
        ({"channels": {"phone": {"text": "您的{product}可以上门吗？"}}}, "'智能语音助手' are missing"),
        ({"channels": {"sms": {"text": "{product}限时优惠"}}}, "word of advertisements"),
        ({"channels": {"sms": {"text": "{product}}"}}}, "brace that opens or closes no gap"),
        ({"channels": {"sms": {"text": "{product}" + "长" * 300}}}, "parts are charged"),
        ({"channels": {"fax": {"text": "{product}"}}}, "channels"),
        ({"channels": {}}, "channels"),
        ({"version": 0}, "version"),
        ({"script_id": "a:b"}, "script_id"),
        ({"variables": {"phone": PRODUCT}}, "variables.phone: is personal"),
        ({"variables": {"customer_id": PRODUCT}}, "variables.customer_id: is personal"),
        ({"variables": {"address": PRODUCT}}, "variables.address: is personal"),
        ({"variables": {"product": PRODUCT | {"longest": 1}}}, "is longer than its longest"),
        ({"text": "x"}, "text"),
    ],
)
def test_a_wrong_file_is_refused_naming_the_file_and_the_field(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(PolicyFileError) as refused:
        load_script(path, PERSONAL)
    assert str(path) in str(refused.value)
    assert told in str(refused.value)


@pytest.mark.parametrize("word", ADVERTISING)
def test_no_word_of_an_advertisement_may_be_a_default_either(tmp_path: Path, word: str) -> None:
    path = written(tmp_path, variables={"product": PRODUCT | {"default": word}})
    with pytest.raises(PolicyFileError, match="advertisements"):
        load_script(path, PERSONAL)


def test_two_files_may_not_hold_the_same_version(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml")
    written(tmp_path, "b.yaml")
    with pytest.raises(PolicyFileError, match=r"in a\.yaml already"):
        load_scripts(tmp_path, PERSONAL)


def test_a_folder_without_scripts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match="holds no script"):
        load_scripts(tmp_path, PERSONAL)


def test_a_text_that_may_need_a_second_part_is_a_warning(tmp_path: Path) -> None:
    made = script(tmp_path, channels={"sms": {"text": "{product}" + "长" * 61}})
    (finding,) = findings(made, PERSONAL)
    assert (finding.is_warning, finding.field) == (True, "channels.sms.text")
    assert findings(script(tmp_path, channels={"sms": {"text": "{product}" + "长" * 60}}), PERSONAL) == ()


@pytest.mark.parametrize(("characters", "parts"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)])
def test_texts_are_charged_by_parts(characters: int, parts: int) -> None:
    assert sms_parts(characters) == parts
