"""The report of a day for people: what came in, who was reached, what was decided, where the orders are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from runtime.mask import mask_text
from schemas.core.language import Language
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.orders.figures.days import DayFigures
from storage.orders.figures.feeds import LATENESS_EDGES, ZONE
from storage.orders.figures.figures import Figures
from tasks.orders.explain.daily_words import DailyWords
from tasks.orders.explain.day_numbers import OUTCOMES, DayNumbers, midnight, numbers_of, percent
from tools.charts.chart import Hours, Series, Shares, Trends
from tools.charts.table import Cell, DataTable
from tools.reports.document import FigureUnit, ReportDocument, ReportFigure, ReportSection

_TREND_DAYS: Final = 7
_STATEMENT_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class _Trend:
    """The days up to the report's, each with what was accepted, intended and closed."""

    days: Sequence[date]
    accepted: Sequence[int]
    intended: Sequence[int]
    closed: Sequence[int]


def daily_report(database: Database, day: date, language: Language) -> ReportDocument:
    """The report of a business day beside the day before; all of its numbers are read at one moment."""
    before = day - timedelta(days=1)
    days = [day - timedelta(days=back) for back in reversed(range(_TREND_DAYS))]
    with database.snapshot(statement_seconds=_STATEMENT_SECONDS) as work:
        counters = Figures(work).counters()
        this, former = numbers_of(work, counters, day), numbers_of(work, counters, before)
        accepted = DayFigures(work).accepted(midnight(days[0]), midnight(day + timedelta(days=1)))
        now = BusinessClock(work).now().business_now
    trend = _Trend(
        days,
        [accepted.get(each, 0) for each in days],
        [counters.contacts_on(each) for each in days],
        [counters.closed_on(each) for each in days],
    )
    words = DailyWords(language)
    made = words.say("made", moment=f"{now.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M}", zone=ZONE)
    unfinished = words.say("unfinished") if now < midnight(day + timedelta(days=1)) else ""
    return ReportDocument(
        title=f"{words.say('title')} {words.dated(day)}",
        day=day,
        made=f"{made} {unfinished}".strip(),
        language=language,
        sections=(
            _volume(words, this, former, trend),
            _contacts(words, this, former),
            _automation(words, this, former),
            _reviews(words, this, former),
            _alerts(words, this, former),
            _lateness(words, this, former),
            _ledger(words, this, former),
        ),
    )


def _volume(words: DailyWords, this: DayNumbers, former: DayNumbers, trend: _Trend) -> ReportSection:
    say = words.say
    return ReportSection(
        code="volume",
        title=say("volume"),
        figures=(
            ReportFigure(say("accepted"), this.period.orders, former.period.orders),
            ReportFigure(say("intended"), this.intended, former.intended),
            ReportFigure(say("closed"), this.closed, former.closed),
        ),
        chart=Trends(
            title=say("trend"),
            description=say("trend.shown"),
            axis=say("day"),
            labels=tuple(f"{each:%m-%d}" for each in trend.days),
            series=(
                Series(say("accepted"), tuple(trend.accepted)),
                Series(say("intended"), tuple(trend.intended)),
                Series(say("closed"), tuple(trend.closed)),
            ),
        ),
    )


def _contacts(words: DailyWords, this: DayNumbers, former: DayNumbers) -> ReportSection:
    say = words.say
    by_hour = {
        name: tuple(
            sum(getattr(each, name) for each in this.contacts if each.hour == hour) for hour in range(24)
        )
        for name in OUTCOMES
    }
    rows: list[tuple[Cell, ...]] = [
        (
            f"{each.hour:02}:00 {words.called('channel', each.channel)}",
            each.intended,
            *(getattr(each, name) for name in OUTCOMES),
        )
        for each in this.contacts
    ]
    return ReportSection(
        code="contacts",
        title=say("contacts"),
        figures=(
            ReportFigure(say("intended"), this.intended, former.intended),
            *(ReportFigure(say(name), this.outcomes[name], former.outcomes[name]) for name in OUTCOMES),
            ReportFigure(say("answer_rate"), this.answer_rate, former.answer_rate, FigureUnit.PERCENT),
        ),
        chart=Hours(
            title=say("by_hour"),
            description=say("by_hour.shown"),
            axis=say("hour"),
            labels=tuple(f"{hour:02}" for hour in range(24)),
            series=tuple(Series(say(name), by_hour[name]) for name in OUTCOMES),
        ),
        table=DataTable(
            (say("hour_and_channel"), say("intended"), *(say(name) for name in OUTCOMES)), tuple(rows)
        ),
        notes=(say("contacts.note"),),
    )


def _automation(words: DailyWords, this: DayNumbers, former: DayNumbers) -> ReportSection:
    say, automation = words.say, this.automation
    return ReportSection(
        code="automation",
        title=say("automation"),
        figures=(
            ReportFigure(
                say("automatic_share"),
                percent(automation.share),
                percent(former.automation.share),
                FigureUnit.PERCENT,
            ),
        ),
        chart=Shares(
            title=say("automatic_share"),
            description=say("automation.shown"),
            columns=(say("how"), say("orders"), say("share")),
            parts=(
                (say("alone"), automation.alone),
                (say("by_person"), automation.decided - automation.alone),
            ),
        ),
    )


def _reviews(words: DailyWords, this: DayNumbers, former: DayNumbers) -> ReportSection:
    say = words.say
    return ReportSection(
        code="reviews",
        title=say("reviews"),
        figures=(
            ReportFigure(say("opened"), this.opened, former.opened),
            ReportFigure(say("decided"), this.decided, former.decided),
            ReportFigure(say("overdue"), this.overdue, former.overdue),
        ),
    )


def _alerts(words: DailyWords, this: DayNumbers, former: DayNumbers) -> ReportSection:
    say = words.say
    types = sorted({*this.period.alerts_by_type, *former.period.alerts_by_type})
    rows = tuple(
        # What an outside agent calls an alert is its own.
        (mask_text(name), this.period.alerts_by_type.get(name, 0), former.period.alerts_by_type.get(name, 0))
        for name in types
    )
    return ReportSection(
        code="alerts",
        title=say("alerts"),
        figures=(ReportFigure(say("raised"), this.raised, former.raised),),
        table=DataTable((say("alert_type"), say("this_day"), say("day_before")), rows) if rows else None,
    )


def _lateness(words: DailyWords, this: DayNumbers, former: DayNumbers) -> ReportSection:
    say = words.say
    notes = [say("lateness.note")]
    if this.beyond:
        notes.append(say("lateness.beyond", count=this.beyond, edge=LATENESS_EDGES[-1]))
    return ReportSection(
        code="lateness",
        title=say("lateness"),
        figures=(
            ReportFigure(say("timers"), this.lateness.counted, former.lateness.counted),
            *(
                ReportFigure(say(name), this.within(share), former.within(share), FigureUnit.SECONDS)
                for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
            ),
        ),
        notes=tuple(notes),
    )


def _ledger(words: DailyWords, this: DayNumbers, former: DayNumbers) -> ReportSection:
    say = words.say
    accounts = (
        ("source", this.period.by_source),
        ("reason", this.period.by_finish_reason),
        ("state", this.open_states),
    )
    rows = tuple(
        (say(f"account.{kind}", name=words.called(kind, name)), orders)
        for kind, held in accounts
        for name, orders in sorted(held.items())
    )
    closed, closed_before = (sum(each.period.by_finish_reason.values()) for each in (this, former))
    return ReportSection(
        code="ledger",
        title=say("ledger"),
        figures=(
            ReportFigure(say("accepted"), this.period.orders, former.period.orders),
            ReportFigure(say("ledger.closed"), closed, closed_before),
            ReportFigure(say("ledger.open"), this.open_states.total(), former.open_states.total()),
            ReportFigure(say("ledger.difference"), this.difference, former.difference),
        ),
        table=DataTable((say("account"), say("orders")), rows) if rows else None,
        notes=(say("ledger.note"),),
    )
