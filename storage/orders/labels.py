"""Labels: the intents that people decided, beside the model's; the words are encrypted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Row, text

from runtime.cipher import Sealed
from runtime.ids import Prefix, new_id
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.orders.tables import intent_labels

_INSERT: Final = BulkInsert(
    intent_labels,
    (
        "label_id", "task_id", "contact_id", "words", "predicted_level2", "confidence", "automatic", "model",
        "level2", "source", "labelled_by",
    ),
    stamped="labelled_at",
)  # fmt: skip
# Words may have been erased since; such a label still counts in figures, and has nothing to learn from.
_LIST: Final = text(
    """
    SELECT l.label_id, l.task_id, l.contact_id, l.words, l.predicted_level2, l.confidence::float AS confidence,
        l.automatic, l.model, l.level2, l.source, l.labelled_by, l.labelled_at,
        t.metadata ->> 'pending_reason' AS pending_reason
    FROM intent_labels l LEFT JOIN tasks t ON t.task_id = l.task_id
    WHERE (CAST(:since AS timestamptz) IS NULL OR l.labelled_at >= :since)
    ORDER BY l.label_id
    """
)
# What shadow mode put before a person who then chose no intent: it was not confirmed.
_UNCONFIRMED: Final = text(
    """
    SELECT context ->> 'intent_level2' AS level2, context ->> 'model' AS model, count(*) AS amount FROM reviews
    WHERE reason = :reason AND state = 'decided' AND decision ->> 'decision' <> 'classify'
      AND (CAST(:since AS timestamptz) IS NULL OR decided_at >= :since)
    GROUP BY 1, 2 ORDER BY 1, 2
    """
)
_CLASSIFIED: Final = text(
    """
    SELECT metadata ->> 'user_intent_l2' AS level2, metadata -> 'requires_human_review' = 'false' AS alone,
        count(*) AS amount
    FROM audit_logs
    WHERE event_type = 'intent_classified' AND (CAST(:since AS timestamptz) IS NULL OR "timestamp" >= :since)
    GROUP BY 1, 2 ORDER BY 1, 2
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLabel:
    """What a person decided the customer wants, and what the model had made of the same words."""

    task_id: str
    contact_id: str | None
    words: str = field(repr=False)
    predicted_level2: str
    confidence: float
    automatic: bool
    """Whether the fleet would have gone on by itself."""
    model: str
    """The sha256 of the weights that read the words."""
    level2: str
    """The person's intent."""
    source: Literal["review", "shadow"]
    labelled_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label as kept; `sealed_words` is `None` where the words were erased."""

    label_id: str
    task_id: str
    contact_id: str | None
    sealed_words: Sealed | None
    pending_reason: str | None
    """Why the order was suspended: it gives a bare 还没到 its subject."""
    predicted_level2: str
    confidence: float
    automatic: bool
    model: str
    level2: str
    source: str
    labelled_by: str
    labelled_at: datetime

    @property
    def words(self) -> str | None:
        """What the customer said, in clear.

        Raises:
            UnreadableCiphertext: they were encrypted with another key.
        """
        return (self.sealed_words.open() or None) if self.sealed_words else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """How often a person in shadow mode chose no intent for this intent of this model."""

    level2: str
    model: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentCount:
    """The number of answers with this intent, and whether they were carried out automatically."""

    level2: str
    alone: bool
    amount: int


@dataclass(frozen=True, slots=True)
class Labels(Repository):
    """The only code that writes `intent_labels`."""

    def keep(self, labels: Sequence[NewLabel]) -> None:
        """Keep labels; whoever does has just written the decision they come from, in the same transaction."""
        rows = []
        for label in labels:
            label_id = new_id(Prefix.LABEL)
            rows.append(
                (
                    label_id,
                    label.task_id,
                    label.contact_id,
                    self.cipher.encrypt(label.words, _place(label_id)),
                    label.predicted_level2,
                    label.confidence,
                    label.automatic,
                    label.model,
                    label.level2,
                    label.source,
                    label.labelled_by,
                )
            )
        _INSERT(self.connection, rows)

    def given(self, *, since: datetime | None = None) -> list[Label]:
        """The labels given since this business time, the oldest first."""
        return [self._label(row) for row in self.connection.execute(_LIST, {"since": since})]

    def unconfirmed(self, reason: str, *, since: datetime | None = None) -> list[Unconfirmed]:
        """Reviews of this reason that people decided without an intent, by what the model had read."""
        rows = self.connection.execute(_UNCONFIRMED, {"reason": reason, "since": since})
        return [
            Unconfirmed(level2=row.level2 or "", model=row.model or "", amount=row.amount) for row in rows
        ]

    def classified(self, *, since: datetime | None = None) -> list[IntentCount]:
        """All answers that were read since then, labelled or not."""
        rows = self.connection.execute(_CLASSIFIED, {"since": since})
        return [
            IntentCount(level2=row.level2 or "", alone=bool(row.alone), amount=row.amount) for row in rows
        ]

    def _label(self, row: Row[tuple[object, ...]]) -> Label:
        values = row._asdict()
        stored = bytes(values.pop("words"))
        sealed = Sealed(stored, _place(values["label_id"]), self.cipher) if stored else None
        return Label(**values, sealed_words=sealed)


def _place(label_id: str) -> str:
    return f"intent_labels.words.{label_id}"
