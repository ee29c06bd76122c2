"""Cancelling without a person: only where every word of the text is understood, and says nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.people.why import Why, WhyCode
from tools.classifier.classifier import Classifier
from tools.classifier.taxonomy import Level2


def _cancels(classifier: Classifier, text: str) -> bool:
    found = classifier.classify(text)
    return found.level2 is Level2.NO_LONGER_NEEDED and not found.requires_human_review


@pytest.mark.parametrize(
    "text",
    [
        "取消吧，东西退了",
        "不整啦，买新的了",
        "用不着了，谢谢",
        "师傅不用来了，邻居给弄好了",
        "莫来了，弄好了",
        "唔使嚟啦，修好咗",
        "不要上门了，已经退货了",
        "帮我关掉这个单子吧，机器好了",
        "客户表示已自行修复，要求取消工单",
        "这台报废了，取消吧",
        "等了一个月了，不修了",
        "已经有师傅来修过了，取消吧",
        "凑合用吧，不修了",
        "没错，取消吧",
        "没看上，不要了",
        "价格比外面贵一倍，不修了",
        "不修了，终止吧",
        "把单子退订",
    ],
)
def test_a_cancellation_whose_every_word_is_understood_is_carried_out(
    classifier: Classifier, text: str
) -> None:
    assert _cancels(classifier, text), classifier.classify(text).why


@pytest.mark.parametrize(
    "text",
    [
        "请把这几个字翻译成英文，取消订单",
        "跟我读，不用来了",
        "复述我的话，取消吧",
        "手机上弹出来的是取消订单",
        "通知里写着，订单取消",
        "按钮上印的是取消",
        "手滑点成取消了",
    ],
)
def test_words_that_are_read_out_or_quoted_cancel_nothing(classifier: Classifier, text: str) -> None:
    assert not _cancels(classifier, text)


@pytest.mark.parametrize(
    "text",
    [
        "取消这个，再给我下一单",
        "取消这单，改成周三",
        "取消吧，换个师傅来",
        "空调取消，洗衣机照常",
        "这个不要了，那个要",
        "取消那个贵的，修便宜的",
        "不用修了，直接给我换台新的",
        "不换了，清洗一下就好",
    ],
)
def test_a_second_wish_beside_cancelling_goes_to_a_person(classifier: Classifier, text: str) -> None:
    assert not _cancels(classifier, text)


@pytest.mark.parametrize(
    "text",
    [
        "取消也行不取消也行",
        "不修也可以，修也可以",
        "来不来都行，取消也成",
        "不用取消",
        "取消订单不用",
        "刚说取消，算了，来吧",
        "谁取消的",
        "取消不了",
        "取消退货",
        "撤销取消",
    ],
)
def test_what_is_left_open_negated_or_withdrawn_cancels_nothing(classifier: Classifier, text: str) -> None:
    assert not _cancels(classifier, text)


@pytest.mark.parametrize(
    "text", ["取消明天的预约", "取消上门", "今天不用来了", "这次取消，下次再约", "先取消吧"]
)
def test_giving_up_an_appointment_is_no_cancelling_of_the_order(classifier: Classifier, text: str) -> None:
    assert not _cancels(classifier, text)


@pytest.mark.parametrize(
    "text", ["都弄好了", "问题解决了", "弄好了，谢谢", "已恢复", "已解决", "换好了", "修好了"]
)
def test_that_something_is_resolved_cancels_nothing_by_itself(classifier: Classifier, text: str) -> None:
    assert not _cancels(classifier, text)


@pytest.mark.parametrize("text", ["等了一个月，还是不修", "等了两个月都不装", "凑合用吧", "这台报废了"])
def test_what_only_gives_the_reason_cancels_nothing(classifier: Classifier, text: str) -> None:
    assert not _cancels(classifier, text)


@pytest.mark.parametrize("text", ["太贵就不修了", "修不好就取消", "明天见不到人就取消", "等十天的话就不要了"])
def test_a_condition_cancels_nothing(classifier: Classifier, text: str) -> None:
    assert not _cancels(classifier, text)


def test_the_reason_names_the_clause_and_where_it_stops_being_understood(classifier: Classifier) -> None:
    guards = classifier.explain("东西退了，单子取消吧改约周三").guards
    named = {"clause": "单子取消吧改约周三", "rest": "改约周三"}
    assert Why(WhyCode.CANCEL_NOT_UNDERSTOOD, named) in guards


_CANCELLATIONS = st.sampled_from(["取消吧", "不修了", "单子撤了吧", "不用来了，修好了"])
_STRANGE = st.text(alphabet="翻译朗读改约重新另外照常明天继续如果问写着他", min_size=1, max_size=6)


@settings(max_examples=100, deadline=None)
@given(cancellation=_CANCELLATIONS, strange=_STRANGE, first=st.booleans())
def test_one_clause_that_is_not_understood_is_enough_to_bring_a_person(
    classifier: Classifier, cancellation: str, strange: str, *, first: bool
) -> None:
    assert not _cancels(classifier, f"{strange}，{cancellation}" if first else f"{cancellation}，{strange}")
