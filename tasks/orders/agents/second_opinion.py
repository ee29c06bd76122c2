"""Asks a language model for a second opinion before an action; it may only send an order to review."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from runtime.logs import logger
from tools.classifier.classifier import Classification
from tools.language_model.client import LanguageModel
from tools.language_model.prompt import ModelQuestion
from tools.language_model.second_opinion import with_second_opinion

_log: Final = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A customer's words with their classification; `is_own`: by our own model."""

    text: str = field(repr=False)
    pending_reason: str | None = field(repr=False)
    found: Classification
    is_own: bool


def reconsidered(model: LanguageModel | None, readings: Mapping[int, Reading]) -> dict[int, Classification]:
    """The readings, each with one more reason for a person where the language model reads otherwise.

    Only what our own model would carry out is asked about, all of it at once and within the client's one deadline; what
    is not answered stays as it is. Without a language model nothing is asked at all.
    """
    found = {step_id: reading.found for step_id, reading in readings.items()}
    asked = [
        step_id for step_id, each in readings.items() if each.is_own and not each.found.requires_human_review
    ]
    if model is None or not asked:
        return found
    opinions = model.ask(
        [
            ModelQuestion.about(readings[step_id].text, pending_reason=readings[step_id].pending_reason)
            for step_id in asked
        ]
    )
    for step_id, opinion in zip(asked, opinions.opinions, strict=True):
        found[step_id] = with_second_opinion(found[step_id], opinion)
    stopped = sum(found[step_id].requires_human_review for step_id in asked)
    counts = {outcome.value: count for outcome, count in opinions.counts.items()}
    _log.info("second opinions heard", asked=len(asked), stopped=stopped, **counts)
    return found
