"""Moments as people read them: business time with the weekday, the real time beside it (CONSOLE.md §3)."""

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from runtime.clock import Anchor
from schemas.core.language import Language
from tools.contact_policy.zone import DEFAULT_ZONE

ZONE: Final = ZoneInfo(DEFAULT_ZONE)
_WEEKDAYS: Final = {
    Language.CHINESE: ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    Language.ENGLISH: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def weekday(day: date, language: Language) -> str:
    """The day of the week."""
    return _WEEKDAYS[language][day.weekday()]


def day_text(day: date, language: Language) -> str:
    """A day without its year: 3月13日 周五, Fri 13 Mar."""
    if language is Language.CHINESE:
        return f"{day.month}月{day.day}日 {weekday(day, language)}"
    return f"{weekday(day, language)} {day.day} {_MONTHS[day.month - 1]}"


def moment_text(moment: datetime, language: Language, zone: ZoneInfo = ZONE) -> str:
    """A day with the time of day."""
    local = moment.astimezone(zone)
    return f"{day_text(local.date(), language)} {local:%H:%M}"


def real_time(moment: datetime, anchor: Anchor) -> str:
    """The real time of a business moment, as a hover shows it."""
    return f"{anchor.database(moment).astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def span_text(seconds: float, language: Language) -> str:
    """A length of time in its two largest units: 9 时 14 分, 9 h 14 min."""
    whole = abs(int(seconds))
    days, hours, minutes = whole // _DAY, whole % _DAY // _HOUR, whole % _HOUR // _MINUTE
    chinese = language is Language.CHINESE
    parts = [
        (days, "天" if chinese else "d"),
        (hours, "时" if chinese else "h"),
        (minutes, "分" if chinese else "min"),
    ]
    first = next((nth for nth, (number, _) in enumerate(parts) if number), len(parts) - 1)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2])


def iso(moment: datetime) -> str:
    """A moment for programs, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
