"""The stop words of text messages: no more contact, and nothing said about the order."""

import pytest

from tools.classifier.classifier import Classifier
from tools.classifier.taxonomy import Flag, Level2


@pytest.mark.parametrize(
    "text",
    [
        "退订",
        "T",
        "TD",
        "N退订",
        "回T退订",
        "回复TD退订",
        "退订回T",
        "拒收",
        "回复R拒收",
        "STOP",
        "Stop.",
        "STOPALL",
        "UNSUBSCRIBE",
        "QUIT",
        "END",
        "CANCEL",
    ],
)
def test_a_stop_word_alone_ends_contact_and_says_nothing_of_the_order(
    classifier: Classifier, text: str
) -> None:
    found = classifier.classify(text)
    assert (found.level2, found.flags) == (Level2.NEEDS_HUMAN, (Flag.DO_NOT_CONTACT,))
    assert found.requires_human_review


@pytest.mark.parametrize("text", ["退订订单", "把单子退订"])
def test_beside_an_order_it_is_the_order_that_is_given_up(classifier: Classifier, text: str) -> None:
    found = classifier.classify(text)
    assert (found.level2, found.flags) == (Level2.NO_LONGER_NEEDED, ())
