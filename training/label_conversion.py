"""Converts people's labels to training texts, and to decisions for evaluating the model."""

from statemachine.orders.intents import Level2
from storage.orders.labels import Label
from tools.classifier.context import spell_out
from tools.classifier.normal_form import normalize
from training.labelled import LabelledWords
from training.record import RecordedDecision


def training_text_of(label: Label) -> LabelledWords | None:
    """Return the training text of a label; `None` where the words were erased.

    Raises:
        UnreadableCiphertext: the words were encrypted with another key.
    """
    words = label.words
    if words is None:
        return None
    plain = normalize(words)
    in_full = spell_out(plain, label.pending_reason)
    return LabelledWords(
        name=label.label_id, text=words if in_full == plain else in_full, level2=Level2(label.level2)
    )


def decision_of(label: Label) -> RecordedDecision:
    """Return the model's decision and the person's, for evaluation."""
    return RecordedDecision(
        predicted=Level2(label.predicted_level2), automatic=label.automatic, level2=Level2(label.level2)
    )
