"""The retention policy: how long each kind of data is kept, from `config/policies/retention.yaml`."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.core.configuration import read_policy_file

Days = Annotated[int, Field(ge=1, le=3650)]


class DataKind(StrEnum):
    """A kind of data that is deleted after its retention time."""

    TRANSCRIPTS = "transcripts"
    RECORDINGS = "recordings"
    PERSONAL_FIELDS = "personal_fields"
    CALLBACKS = "callbacks"
    SIGNALS = "signals"
    REJECTS = "rejects"
    LABELS = "labels"
    GENERAL_WORDS = "general_words"
    GENERAL_TASKS = "general_tasks"
    ARTIFACTS = "artifacts"
    INBOX = "inbox"
    IDEMPOTENCY = "idempotency"
    DELIVERIES = "deliveries"
    NOTICES = "notices"
    FORGOTTEN_NUMBERS = "forgotten_numbers"
    EVENTS = "events"
    AUDIT = "audit"
    TRANSITIONS = "transitions"


FOR_EVER: Final = frozenset({DataKind.AUDIT, DataKind.TRANSITIONS})
"""Kinds that are kept for ever where the policy does not name them."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Mapping[DataKind, Days]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [kind.value for kind in DataKind if kind not in self.days and kind not in FOR_EVER]
        if missing:
            raise ValueError(f"days lacks {', '.join(missing)}: that is not kept for ever by omission")
        return self


def load_retention(path: Path) -> Mapping[DataKind, timedelta]:
    """Read the retention time of each kind of data that is not kept for ever.

    Raises:
        PolicyFileError: the file cannot be used; the message names the field.
    """
    document = read_policy_file(path, _Document)
    return MappingProxyType({kind: timedelta(days=days) for kind, days in document.days.items()})
