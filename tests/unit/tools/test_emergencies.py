"""Words of danger never become an ordinary visit; words that only sound like it stay what they are."""

import pytest

from schemas.people.why import Why, WhyCode
from tools.classifier.classifier import Classifier
from tools.classifier.taxonomy import Flag


@pytest.mark.parametrize(
    "text",
    [
        "燃气泄漏",
        "漏气了，今天来修",
        "屋里一股煤气味，明天上午来吧",
        "热水器漏电，快来",
        "孩子触电了",
        "空调冒烟了，马上派人",
        "插座着火了",
        "电箱起火，赶紧过来",
        "烧焦味很重，可以来看看",
        "钢化玻璃爆了，来换吧",
        "一氧化碳超标",
        "电梯困人，尽快安排",
        "老人被困了",
        "水管爆了，快来",
        "水一直往外喷，赶紧上门",
        "配件没到，不过机器在冒烟",
        "不用来了，取消吧，已经着火了",
    ],
)
def test_danger_is_told_and_a_person_decides(classifier: Classifier, text: str) -> None:
    found = classifier.classify(text)
    assert Flag.EMERGENCY in found.flags
    assert Why(WhyCode.FLAG_EMERGENCY) in found.why


@pytest.mark.parametrize(
    "text",
    [
        "漏水，明天来修",
        "龙头滴水，来看看吧",
        "燃气热水器漏水",
        "不冒烟了",
        "煤气不漏了",
        "没有煤气味",
        "点不着火，来修一下",
        "热水器打不着火",
        "漏电保护器跳闸",
        "快递爆仓，件没动",
        "空调漏氟，过来加点",
        "被困在机场，回去再约",
        "燃气还没通",
    ],
)
def test_an_ordinary_fault_is_no_emergency(classifier: Classifier, text: str) -> None:
    assert Flag.EMERGENCY not in classifier.classify(text).flags
