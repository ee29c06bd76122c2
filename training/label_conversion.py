"""What the labels that people gave teach: words to train on, and decisions to judge the model in the field by."""

from statemachine.orders.intents import Level2
from storage.orders.labels import Label
from tools.classifier.context import spell_out
from tools.classifier.normal_form import normalize
from training.labelled import LabelledWords
from training.record import RecordedDecision


def training_text_of(label: Label) -> LabelledWords | None:
    """What a label teaches a model: the words as the classifier reads them; `None` where they were erased.

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
    """What a label says of the model that read the words."""
    return RecordedDecision(
        predicted=Level2(label.predicted_level2), automatic=label.automatic, level2=Level2(label.level2)
    )
