"""What lies close together: causes that sound alike, bitter words, and what a dispatcher would ask about."""

import pytest

from tools.classifier.classifier import Classifier
from tools.classifier.taxonomy import Flag, Level2


@pytest.mark.parametrize(
    ("text", "level2"),
    [
        ("等电机呢", Level2.PARTS_PENDING),
        ("等电磁阀，师傅说下周", Level2.PARTS_PENDING),
        ("橱柜门板还在厂里做", Level2.PARTS_PENDING),
        ("买错了尺寸，退回去换了，换的没到", Level2.PARTS_PENDING),
        ("等通电", Level2.SITE_NOT_READY),
        ("公司的章还没盖", Level2.SITE_NOT_READY),
        ("手术室不能停", Level2.SITE_NOT_READY),
        ("钥匙在房东那，他不在", Level2.SITE_NOT_READY),
        ("收到，周六见", Level2.READY_TO_VISIT),
        ("等我把店搬完再约", Level2.CUSTOMER_UNAVAILABLE),
        ("货没到，过几天再打", Level2.PARTS_PENDING),
        ("壁灯还没到，过两天再打", Level2.PARTS_PENDING),
        ("零件没到位，先别派人", Level2.PARTS_PENDING),
        ("还没通电，再等等", Level2.SITE_NOT_READY),
        ("财务没过，等等", Level2.SITE_NOT_READY),
        ("停业了，过几天", Level2.CUSTOMER_UNAVAILABLE),
        ("我们盘点，下周吧", Level2.CUSTOMER_UNAVAILABLE),
        ("星期天行吗", Level2.READY_TO_VISIT),
        ("到了按101的门铃，我在家", Level2.READY_TO_VISIT),
        ("门禁密码1234，随时来", Level2.READY_TO_VISIT),
    ],
)
def test_what_blocks_is_told_from_what_sounds_alike(
    classifier: Classifier, text: str, level2: Level2
) -> None:
    assert classifier.classify(text).level2 is level2


@pytest.mark.parametrize(
    "text",
    [
        "五个月了还没修好，你们真有本事",
        "来了六趟，一趟比一趟差，继续来啊",
        "越换越响，佩服",
        "师傅把墙钻穿了，你们来看看",
        "说话不算数，糊弄谁呢",
    ],
)
def test_bitter_words_are_a_complaint(classifier: Classifier, text: str) -> None:
    found = classifier.classify(text)
    assert Flag.COMPLAINT in found.flags
    assert found.requires_human_review


def test_who_has_no_say_in_it_does_not_complain(classifier: Classifier) -> None:
    assert classifier.classify("这事我们说了不算").flags == ()


@pytest.mark.parametrize("text", ["透析机报警，快派人", "空调报警，明天来修"])
def test_a_machine_that_sounds_its_alarm_is_no_wish_to_be_left_alone(
    classifier: Classifier, text: str
) -> None:
    assert classifier.classify(text).flags == ()


@pytest.mark.parametrize(
    "text",
    [
        "配件到哪了",
        "先观察两天",
        "在路上",
        "我是隔壁的，他家没人",
        "开箱发现屏幕碎了",
        "顺便把烟机也洗了，明天来",
        "换地址了，明天来",
        "好像修好了吧，我还没试",
        "两台空调，一台修一台不修了",
        "还没到",
    ],
)
def test_what_a_dispatcher_would_ask_about_is_not_carried_out(classifier: Classifier, text: str) -> None:
    assert classifier.classify(text).requires_human_review
