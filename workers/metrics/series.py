"""The fleet's figures as Prometheus series, by the names of SPEC.md §9.

Help texts name the unit and the tables a value is read from. A counter's name gets `_total` when exposed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from schemas.orders.contact import Channel
from statemachine.orders.intents import Level1
from statemachine.orders.states import State
from storage.engine.step_counts import StepCount
from storage.orders.figures.feeds import LATENESS_EDGES, PROCESSING_EDGES
from storage.orders.figures.figures import AlertFigures, Counters, Figures, Histogram, ReviewFigures
from storage.outbound.deliveries import Deliveries

QUEUE_STATES: Final = ("scheduled", "ready", "published", "leased", "parked")
"""The states of a step that is not over."""

_NOT_A_NUMBER: Final = float("nan")


def series(figures: Figures, steps: Iterable[StepCount], queues: Sequence[str]) -> Iterator[Metric]:
    """Every series of orders, agents and people; every label value that is known is there, at 0 if need be."""
    counters = figures.counters()
    reviews = figures.reviews(counters)
    yield from _orders(figures, counters, reviews)
    yield from _contacts(counters)
    yield from _triage(figures)
    yield from _agents(counters, queues)
    yield from _queues(steps, counters, queues)
    yield _lateness(counters)
    yield from _people(figures.alerts(), reviews)


def up(value: int) -> Metric:
    """Whether there is anything to read; the only series while there is not."""
    return _gauge("ops_exporter_up", "Whether the exporter could read PostgreSQL: 1 yes, 0 no.", value)


def _orders(figures: Figures, counters: Counters, reviews: ReviewFigures) -> Iterator[Metric]:
    time_taken = counters.processing()
    yield HistogramMetricFamily(
        "task_processing_time",
        "Active time of closed orders, seconds: the agents' done steps, without the time they were parked "
        "or waited (steps).",
        buckets=_buckets(time_taken, PROCESSING_EDGES),
        sum_value=float(time_taken.seconds),
    )
    rounds = counters.rounds()
    yield _counter("task", "Rounds of contact that ended, orders (transitions).", rounds.ended)
    yield _counter(
        "task_success", "Rounds that ended with an action executed, orders (transitions).", rounds.acted_on
    )
    orders = figures.orders(counters)
    yield _by_label(
        GaugeMetricFamily(
            "tasks_by_state", "Orders in each business state, orders (tasks).", labels=["state"]
        ),
        {state: orders.by_state.get(state, 0) for state in State},
    )
    closed = orders.by_state.get(State.CLOSED, 0)
    yield _gauge(
        "tasks_in_progress",
        "Orders that are not closed, orders (tasks).",
        sum(orders.by_state.values()) - closed,
    )
    yield _gauge(
        "tasks_completed_today",
        "Orders closed since midnight of the business day, orders (tasks).",
        orders.closed_today,
    )
    ledger = figures.ledger(orders, reviews, counters.lost())
    yield _by_label(
        GaugeMetricFamily(
            "ledger",
            "Where every order is, orders: in = closed + open + in_review; unaccounted, the difference, must "
            "be 0 (tasks, steps, reviews).",
            labels=["account"],
        ),
        {
            "in": ledger.accepted,
            "closed": ledger.closed,
            "open": ledger.open,
            "in_review": ledger.in_review,
            "unaccounted": ledger.unaccounted,
        },
    )


def _contacts(counters: Counters) -> Iterator[Metric]:
    by_channel = {row.channel: row for row in counters.contacts()}
    none = dict.fromkeys(Channel, 0)
    yield _by_label(
        CounterMetricFamily(
            "contact_attempt",
            "Contacts that left for customers, attempts (contact_logs).",
            labels=["channel"],
        ),
        none | {channel: row.attempts for channel, row in by_channel.items()},
    )
    yield _by_label(
        CounterMetricFamily(
            "contact_answered",
            "Contacts that customers answered, attempts (contact_logs).",
            labels=["channel"],
        ),
        none | {channel: row.answered for channel, row in by_channel.items()},
    )


def _triage(figures: Figures) -> Iterator[Metric]:
    found = figures.confidence()
    yield _by_label(
        GaugeMetricFamily(
            "triage_confidence",
            "Mean confidence of the last business hour's classifications, 0 to 1; NaN where there was none "
            "(audit_logs).",
            labels=["intent_level1"],
        ),
        # A mean of nothing is no 0: that would raise the alert for low confidence.
        {intent: found.get(intent, _NOT_A_NUMBER) for intent in Level1},
    )
    share = figures.automation()
    yield _gauge(
        "action_auto_execute_rate",
        "Share of the last 24 business hours' triaged and decided orders executed without a person, "
        "0 to 1; NaN where there was none (audit_logs).",
        _NOT_A_NUMBER if share is None else share,
    )


def _agents(counters: Counters, queues: Sequence[str]) -> Iterator[Metric]:
    by_agent = {row.agent: row for row in counters.agents()}
    none = dict.fromkeys(queues, 0)
    yield _by_label(
        CounterMetricFamily("agent_request", "Steps that agents claimed, claims (steps).", labels=["agent"]),
        none | {agent: row.requests for agent, row in by_agent.items()},
    )
    yield _by_label(
        CounterMetricFamily(
            "agent_error",
            "Claims that ended in a failure, a retry or a crash, claims (steps).",
            labels=["agent"],
        ),
        none | {agent: row.errors for agent, row in by_agent.items()},
    )


def _queues(rows: Iterable[StepCount], counters: Counters, queues: Sequence[str]) -> Iterator[Metric]:
    depths = {(queue, state): 0 for queue in queues for state in QUEUE_STATES} | counters.waiting()
    oldest = dict.fromkeys(queues, 0.0)
    for row in rows:
        depths[row.queue, row.state] = row.rows
        oldest[row.queue] = max(oldest.get(row.queue, 0.0), row.oldest_seconds)
    family = GaugeMetricFamily(
        "queue_rows",
        "Steps of each queue by state, paused ones left out, rows (steps).",
        labels=["queue", "state"],
    )
    for labels, count in depths.items():
        family.add_metric(labels, count)
    yield family
    yield _by_label(
        GaugeMetricFamily(
            "queue_oldest_seconds",
            "How long the oldest step has been waiting for a worker, seconds (steps).",
            labels=["queue"],
        ),
        oldest,
    )


def _lateness(counters: Counters) -> Metric:
    family = HistogramMetricFamily(
        "unpend_lateness_seconds",
        "How long after its moment a step that waited for one was made ready (woken) and claimed (begun), seconds: "
        "of each step that is over, once, by its last wait (steps).",
        labels=["stage"],
    )
    for stage in ("woken", "begun"):
        found = counters.lateness(stage)
        family.add_metric([stage], _buckets(found, LATENESS_EDGES), float(found.seconds))
    return family


def _buckets(found: Histogram, edges: Sequence[float]) -> list[tuple[str, float]]:
    names = (*(str(float(edge)) for edge in edges), "+Inf")
    return [(name, float(count)) for name, count in zip(names, (*found.at_most, found.counted), strict=True)]


def _people(alerts: AlertFigures, reviews: ReviewFigures) -> Iterator[Metric]:
    for name, help_text, value in (
        ("audit_alert_count", "Alerts raised in the last business hour, alerts (alerts).", alerts.last_hour),
        ("alerts_active", "Alerts that nobody has handled yet, alerts (alerts).", alerts.active),
        ("alerts_today", "Alerts raised since midnight of the business day, alerts (alerts).", alerts.today),
        (
            "alerts_handled_today",
            "Those of today's alerts that were handled, alerts (alerts).",
            alerts.handled_today,
        ),
        ("reviews_open", "Questions that wait for a person, reviews (reviews).", reviews.open),
        (
            "reviews_overdue",
            "Questions past their deadline or open for more than 24 business hours, reviews (reviews).",
            reviews.overdue,
        ),
        (
            "escalations_today",
            "Questions put to people since midnight of the business day, reviews (reviews).",
            reviews.today,
        ),
    ):
        yield _gauge(name, help_text, value)


def of_webhooks(deliveries: Deliveries) -> Iterator[Metric]:
    """Return the series of webhook delays."""
    yield _gauge(
        "webhook_oldest_due_seconds",
        "How long the message to a subscriber that is due the longest has not been sent, seconds (deliveries).",
        deliveries.oldest_due_seconds(),
    )


def of_seals(oldest_seconds: Mapping[str, float]) -> Iterator[Metric]:
    """Return the series of how far the seals are behind, by table."""
    yield _by_label(
        GaugeMetricFamily(
            "audit_unsealed_seconds",
            "How long the oldest audit row without a seal has been written, seconds (audit_logs, system_audit).",
            labels=["table"],
        ),
        oldest_seconds,
    )


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _counter(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_text, value=value)


def _by_label(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[Any, float]) -> Metric:
    for label, value in values.items():
        family.add_metric([str(label)], value)
    return family
