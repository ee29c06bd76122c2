"""Times of BPMN timers: ISO 8601, a line of cron, or an expression that gives one."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from runtime.durations import UnreadableTime, moment_after
from schemas.core.bpmn.mapping.foreign.expressions import UnreadableExpression, is_expression, value_of
from schemas.core.bpmn.model import EventDefinition
from schemas.core.bpmn.xml.names import UNPEND
from schemas.core.times.cron import CronExpression, MalformedCron
from statemachine.workflow.expression.calculation import MalformedExpression
from statemachine.workflow.expression.template import ValueTemplate

_FEEL_TIME: Final = re.compile(r'=\s*(?:duration|date and time|cycle)\(\s*"([^"]*)"\s*\)')
_CYCLE: Final = re.compile(r"R(\d*)/(P.+)")
_EVERY: Final = re.compile(
    r"P(?:(?P<weeks>\d+)W|(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?"
)
_ANY_MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_WEEK, _HOUR, _DAY = 7, 60, 24
_DAYS: Final = {1: "0 0 * * *", _WEEK: "0 0 * * 1"}
_FIELDS_WITH_SECONDS: Final = 6


class UnreadableTimer(ValueError):
    """The time is none that we have; the message says what one looks like."""


def time_of(event: EventDefinition) -> Any:
    """The time of a timer that comes once, as a `timer` of ours.

    Raises:
        UnreadableTimer: It is none, or comes again and again.
    """
    text = _constant(event)
    if event.timer == "timeCycle":
        once = _CYCLE.fullmatch(text)
        if once is None or once.group(1) != "1":
            raise UnreadableTimer(
                f"a time that comes again ('{text:.200}'); use a loop of steps around a wait"
            )
        text = once.group(2)
    if event.expression is not None and event.expression.language == UNPEND and "${" in text:
        try:
            ValueTemplate.of(text)
        except MalformedExpression as error:
            raise UnreadableTimer(f"'{text:.200}' cannot be read: {error}") from error
        return text
    if is_expression(text):
        try:
            return value_of(text)
        except UnreadableExpression as error:
            raise UnreadableTimer(f"'{text:.200}' says nothing that our expressions say") from error
    try:
        moment_after(_ANY_MOMENT, text)
    except (UnreadableTime, OverflowError) as error:
        raise UnreadableTimer(f"'{text:.200}': {error}") from error
    return text


def schedule_of(event: EventDefinition) -> dict[str, Any]:
    """The schedule that a timer is by which runs begin.

    Raises:
        UnreadableTimer: No line of cron says it.
    """
    text = _constant(event)
    if event.timer != "timeCycle":
        raise UnreadableTimer(
            f"'{text:.200}' comes once, and a schedule again and again; write it as a cycle"
        )
    cron = _cron_of(text)
    try:
        return {"cron": CronExpression.read(cron).text}
    except MalformedCron as error:
        raise UnreadableTimer(f"'{text:.200}' {error}") from error


def _constant(event: EventDefinition) -> str:
    text = "" if event.expression is None else event.expression.text.strip()
    if not text:
        raise UnreadableTimer("no time")
    found = _FEEL_TIME.fullmatch(text)
    return text if found is None else found.group(1)


def _cron_of(text: str) -> str:
    """A cycle as a line of cron; where it is none, as it stands."""
    fields = text.replace("?", "*").split()
    if len(fields) == _FIELDS_WITH_SECONDS and fields[0] == "0":
        return " ".join(fields[1:])
    cycle = _CYCLE.fullmatch(text)
    every = _EVERY.fullmatch(cycle.group(2)) if cycle and not cycle.group(1) else None
    if every is None:
        return text
    weeks, days, hours, minutes = (int(each or 0) for each in every.groups())
    days += weeks * _WEEK
    if not days and not hours and minutes and _HOUR % minutes == 0:
        return "0 * * * *" if minutes == _HOUR else f"{_each(minutes)} * * * *"
    if not days and not minutes and hours and _DAY % hours == 0:
        return "0 0 * * *" if hours == _DAY else f"0 {_each(hours)} * * *"
    if not hours and not minutes and days in _DAYS:
        return _DAYS[days]
    return text


def _each(count: int) -> str:
    return "*" if count == 1 else f"*/{count}"
