"""A follow-up rule: its due times, its end, the limit of rounds, and its description for people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from schemas.core.times.cron import CronExpression
from schemas.core.times.cron_moments import next_moment


@dataclass(frozen=True, kw_only=True)
class FollowupRule:
    """A rule for repeated follow-ups of a customer; exactly one of the three ends is set.

    Attributes:
        cron: Five fields, on the wall clock of the zone.
        zone: An IANA name.
        until_date: The last day, in the zone, on which it is due.
        until_count: How often it is due in all.
        until_signal: The signal to the order that ends it.
        most_rounds: How many rounds it may lead before a person is asked.
    """

    cron: str
    zone: str
    most_rounds: int
    until_date: date | None = None
    until_count: int | None = None
    until_signal: str | None = None

    @cached_property
    def expression(self) -> CronExpression:
        """The parsed cron expression.

        Raises:
            MalformedCron: it cannot be read.
        """
        return CronExpression.read(self.cron)

    @property
    def words(self) -> str:
        """The rule in words, for people who read English."""
        if self.until_date is not None:
            end = f"until {self.until_date.isoformat()}"
        elif self.until_count is not None:
            end = "once" if self.until_count == 1 else f"{self.until_count} times"
        else:
            end = f"until the signal {self.until_signal}"
        return f"{self.expression.words} ({self.zone}) {end}, {self.most_rounds} rounds at most"


def next_after(rule: FollowupRule, moment: datetime, *, used: int = 0) -> datetime | None:
    """Return the rule's next due time, strictly later than `moment`, in UTC; `None` once it has ended.

    Args:
        rule: The rule.
        moment: Aware.
        used: How often it was due already, for a rule that ends by a count.
    """
    if rule.until_count is not None and used >= rule.until_count:
        return None
    zone = ZoneInfo(rule.zone)
    due = next_moment(rule.expression, zone, moment)
    if due is None or (rule.until_date is not None and due.astimezone(zone).date() > rule.until_date):
        return None
    return due


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFollowupRule:
    """A follow-up rule with its progress in one order.

    Attributes:
        rule: The rule.
        used: How many follow-up times it has given.
        led: How many rounds it has led, those to a date of the customer's own included.
        led_before: How many rounds the order's earlier rules have led.
        ended_by: The signal that ended it, or `used_up`; `None` while it holds.
    """

    rule: FollowupRule
    used: int = 0
    led: int = 0
    led_before: int = 0
    ended_by: str | None = None

    def due_after(self, moment: datetime) -> datetime | None:
        """Return the order's next due time by the rule; `None` once it has ended."""
        return None if self.ended_by else next_after(self.rule, moment, used=self.used)

    @property
    def rounds_led(self) -> int:
        """The number of the order's rounds that rules started: they do not count against the policy's limit."""
        return self.led + self.led_before

    def leading(self, *, by_its_time: bool) -> "OrderFollowupRule":
        """Return the rule with one more round counted, at its own due time or at a date of the customer's."""
        return replace(self, led=self.led + 1, used=self.used + by_its_time)

    def ended(self, by: str) -> "OrderFollowupRule":
        """Return the rule, ended by this cause."""
        return replace(self, ended_by=by)

    def as_document(self) -> dict[str, Any]:
        """Return the rule as JSON for storage; `read_order_followup_rule` reads it back."""
        rule = self.rule
        return {
            "cron": rule.cron,
            "timezone": rule.zone,
            "until": _until(rule),
            "most_rounds": rule.most_rounds,
            "used": self.used,
            "led": self.led,
            "led_before": self.led_before,
            "ended_by": self.ended_by,
        }


def read_rule(document: Mapping[str, Any], zone: str) -> FollowupRule:
    """Parse a rule in the API's form; one that names no zone uses `zone`."""
    until = document["until"]
    last_day = until.get("date")
    return FollowupRule(
        cron=str(document["cron"]),
        zone=str(document.get("timezone") or zone),
        most_rounds=int(document["most_rounds"]),
        until_date=None if last_day is None else date.fromisoformat(str(last_day)),
        until_count=until.get("count"),
        until_signal=until.get("signal"),
    )


def read_order_followup_rule(document: Mapping[str, Any]) -> OrderFollowupRule:
    """Parse a rule that `as_document` wrote."""
    return OrderFollowupRule(
        rule=read_rule(document, str(document["timezone"])),
        used=int(document["used"]),
        led=int(document["led"]),
        led_before=int(document["led_before"]),
        ended_by=document["ended_by"],
    )


def _until(rule: FollowupRule) -> dict[Literal["date", "count", "signal"], Any]:
    if rule.until_date is not None:
        return {"date": rule.until_date.isoformat()}
    if rule.until_count is not None:
        return {"count": rule.until_count}
    return {"signal": rule.until_signal}
