"""What is looked at before an installation goes live: a closed list of checks, each with words and a remedy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from schemas.core.form import Answered
from schemas.core.language import Language
from schemas.people.wording import words_in

MOST_NAMED: Final = 10
"""Names that a check shows; how many there are it says beside them."""


class CheckState(StrEnum):
    """What a check has found."""

    OK = "ok"
    WARNING = "warning"
    """Somebody should see to it; nothing fails by it."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Nothing here can tell: a person looks, as the remedy says."""


class CheckCode(StrEnum):
    """What is checked."""

    WAIT_TITLES = "wait_titles"
    QUESTION_SCHEMAS = "question_schemas"
    QUESTION_PEOPLE = "question_people"
    SCHEDULES_OWNED = "schedules_owned"
    SCHEDULES_ON_TIME = "schedules_on_time"
    TICK = "tick"
    LEDGER = "ledger"
    AUDIT_SEALED = "audit_sealed"
    AUDIT_VERIFIED = "audit_verified"
    CLOCK_RATE = "clock_rate"
    HOLIDAYS = "holidays"
    CHANNELS = "channels"
    STOP_DRILL = "stop_drill"
    DEFAULT_LOGINS = "default_logins"
    TRUSTED_PROXIES = "trusted_proxies"
    KEY_EXPIRY = "key_expiry"
    MIGRATIONS = "migrations"
    BACKUP = "backup"
    TEST_NOTICE = "test_notice"
    ARTIFACT_DIGESTS = "artifact_digests"


PARAMETERS: Final[Mapping[CheckCode, frozenset[str]]] = MappingProxyType(
    dict.fromkeys(CheckCode, frozenset[str]())
    | {
        CheckCode.WAIT_TITLES: frozenset({"number", "names"}),
        CheckCode.QUESTION_SCHEMAS: frozenset({"number"}),
        CheckCode.QUESTION_PEOPLE: frozenset({"number"}),
        CheckCode.SCHEDULES_OWNED: frozenset({"number", "names"}),
        CheckCode.SCHEDULES_ON_TIME: frozenset({"number", "names"}),
        CheckCode.TICK: frozenset({"most"}),
        CheckCode.LEDGER: frozenset({"number"}),
        CheckCode.AUDIT_SEALED: frozenset({"most"}),
        CheckCode.CLOCK_RATE: frozenset({"rate"}),
        CheckCode.HOLIDAYS: frozenset({"until", "days"}),
        CheckCode.CHANNELS: frozenset({"names", "hours"}),
        CheckCode.STOP_DRILL: frozenset({"days"}),
        CheckCode.DEFAULT_LOGINS: frozenset({"number", "names"}),
        CheckCode.KEY_EXPIRY: frozenset({"number", "names", "days"}),
    }
)
"""What each check is worded with."""

NEVER_KNOWN: Final = frozenset(
    {CheckCode.AUDIT_VERIFIED, CheckCode.BACKUP, CheckCode.TEST_NOTICE, CheckCode.ARTIFACT_DIGESTS}
)
"""What nothing on record tells: never reported as ok."""
SOMETIMES_UNKNOWN: Final = frozenset({CheckCode.CHANNELS, CheckCode.MIGRATIONS})
"""What is known only after something happened, or with a right that is given at a start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What one check has found."""

    code: CheckCode
    state: CheckState
    params: Mapping[str, Any] = field(default_factory=dict)
    """Texts, numbers and lists of texts, under the names of `PARAMETERS`."""

    def title(self, language: Language) -> str:
        """What is checked."""
        return words_in(language)["check_titles"][self.code]

    def sentence(self, language: Language) -> str:
        """What was found."""
        words = words_in(language)
        section = _SECTIONS[self.state]
        comma = words["separators"]["list"]
        shown = {
            name: comma.join(map(str, value)) if isinstance(value, list) else value
            for name, value in self.params.items()
        }
        return words[section][self.code].format_map(shown)

    def remedy(self, language: Language) -> str | None:
        """What to do about it; nothing where all is well."""
        return None if self.state is CheckState.OK else words_in(language)["check_remedies"][self.code]


_SECTIONS: Final[Mapping[CheckState, str]] = {
    CheckState.OK: "check_ok",
    CheckState.WARNING: "check_not_ok",
    CheckState.FAILED: "check_not_ok",
    CheckState.UNKNOWN: "check_unknown",
}


class CheckLine(Answered):
    """One check, worded."""

    code: str
    state: str
    """`ok`, `warning`, `failed` or `unknown`."""
    params: dict[str, Any]
    title: str
    sentence: str
    remedy: str | None
    """What to do; null where all is well."""


class CheckList(Answered):
    """The checklist before going live."""

    passed: bool
    """Whether nothing failed. What is unknown is for a person to look at."""
    checks: list[CheckLine]


def check_list(found: Iterable[Readiness], language: Language) -> CheckList:
    """The checks as answers show them, in a language."""
    lines = [
        CheckLine(
            code=each.code,
            state=each.state,
            params=dict(each.params),
            title=each.title(language),
            sentence=each.sentence(language),
            remedy=each.remedy(language),
        )
        for each in found
    ]
    return CheckList(passed=all(line.state != CheckState.FAILED for line in lines), checks=lines)
