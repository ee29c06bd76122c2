"""The contact constraints of this moment, read under locks that last until the intent is committed.

Locks first, then a look in a statement of its own: a statement sees what was committed before it began, so what
another transaction wrote while ours waited for its lock is seen too.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from schemas.orders.contact import Channel
from storage.core.unit_of_work import Repository
from storage.orders.figures.feeds import CONTACTS_FEED, CONTACTS_ON, ZONE, day_of

_STOP_CLASS: Final = 0x73746F70
"""The advisory lock of emergency stops: senders share it, who raises a stop has it alone."""

_BUDGET_CLASS: Final = 0x62756467
"""The first half of the advisory locks of budgets; the other half is the channel's place."""

_PLACES: Final = {channel: place for place, channel in enumerate(Channel)}

# Numbers and budgets come sorted, so that two batches wait for each other and never deadlock.
_HOLD = text(
    """
    SELECT pg_advisory_xact_lock_shared(:stops, 0)
    UNION ALL SELECT pg_advisory_xact_lock(number)
        FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS n(number, place)
    UNION ALL SELECT pg_advisory_xact_lock(:budgets, channel)
        FROM unnest(CAST(:channels AS integer[])) WITH ORDINALITY AS c(channel, place)
    """,
)
_HOLD_NUMBER = text("SELECT pg_advisory_xact_lock(:number)")
_HOLD_STOPS = text("SELECT pg_advisory_xact_lock(:stops, 0)")
# The day's contacts are those that were counted, and those that came since.
_SPENT = f"""
    c.contact_method = b.channel AND c.direction = 'outbound' AND c.status <> 'refused'
    AND c.contact_time >= date_trunc('day', (SELECT business_now()), '{ZONE}')
"""
_LOOK = text(
    f"""
    SELECT business_now() AS now,
        (SELECT jsonb_agg(jsonb_build_array(encode(n.number, 'hex'), c.contact_time))
         FROM unnest(CAST(:capped AS bytea[])) AS n(number)
         CROSS JOIN LATERAL (
             SELECT contact_time FROM contact_logs
             WHERE phone_index = n.number AND direction = 'outbound' AND status <> 'refused'
               AND contact_time > (SELECT business_now()) - CAST(:longest AS interval) AND key <> ALL(:keys)
             ORDER BY contact_time DESC LIMIT :most) AS c) AS past,
        (SELECT jsonb_agg(jsonb_build_array(encode(phone_index, 'hex'), channel)) FROM do_not_call
         WHERE phone_index = ANY(:numbers) AND lifted_at IS NULL
           AND (until IS NULL OR until > (SELECT business_now()))) AS barred,
        (SELECT jsonb_agg(jsonb_build_array(channel, region, reason) ORDER BY stopped_at) FROM contact_stops
         WHERE lifted_at IS NULL) AS stops,
        (SELECT jsonb_object_agg(b.channel, greatest(0, CAST(
             coalesce((SELECT value FROM figures WHERE name = '{CONTACTS_ON}'
                 AND labelled = b.channel || '/' || {day_of("(SELECT business_now())")}), 0)
             + (SELECT count(*) FROM contact_logs c WHERE position > (
                 SELECT coalesce(max(place), 0) FROM figure_feeds WHERE feed = '{CONTACTS_FEED}') AND {_SPENT})
             - (SELECT count(*) FROM contact_logs c WHERE key = ANY(:keys) AND {_SPENT}) AS bigint)))
         FROM unnest(CAST(:budgeted AS text[])) AS b(channel)) AS spent
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintQuery:
    """The numbers, budgets and caps to look up for planned contacts.

    Attributes:
        numbers: Blind indexes of their phone numbers.
        former: Blind indexes of the same under former keys, with that of the current key.
        keys: Keys of the attempts themselves, which do not count against them.
        longest: The longest period of a cap; None where there are no caps.
        most: How many contacts of a number are to be told at most.
        budgeted: Channels with a daily budget.
    """

    numbers: frozenset[bytes]
    keys: Sequence[str]
    longest: timedelta | None
    most: int
    budgeted: Collection[Channel]
    former: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def marks(self) -> list[bytes]:
        """All that these numbers may be stored under."""
        return [*self.numbers, *self.former]


@dataclass(frozen=True, slots=True)
class OpenStop:
    """An emergency stop that holds; a channel or region that is None means all of them."""

    channel: Channel | None
    region: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """The constraints on these contacts at `now`, on the business clock.

    Attributes:
        past: Recent contacts by number.
        barred: Channels by number that the do-not-call list bars; None for all of them.
        stops: Emergency stops that hold.
        spent: Contacts made today by channel; one that was refused since it was counted may be among them yet.
    """

    now: datetime
    past: Mapping[bytes, Sequence[datetime]]
    barred: Mapping[bytes, frozenset[Channel | None]]
    stops: Sequence[OpenStop]
    spent: Mapping[Channel, int]


@dataclass(frozen=True, slots=True)
class ContactConstraints(Repository):
    """Reads what stands against contacts, and holds it as it is until the transaction ends."""

    def hold(self, asked: ConstraintQuery) -> Found:
        """Wait until nobody else decides on these numbers and budgets, then look; nothing changes until we commit."""
        self.connection.execute(
            _HOLD,
            {
                "stops": _STOP_CLASS,
                "numbers": sorted(map(_lock_of, asked.marks)) if asked.longest else [],
                "budgets": _BUDGET_CLASS,
                "channels": sorted(_PLACES[channel] for channel in asked.budgeted),
            },
        )
        return self.look(asked)

    def look(self, asked: ConstraintQuery) -> Found:
        """What stands against these contacts; by itself it holds nothing."""
        row = self.connection.execute(
            _LOOK,
            {
                "capped": asked.marks if asked.longest else [],
                "longest": asked.longest or timedelta(),
                "most": asked.most,
                "keys": list(asked.keys),
                "numbers": asked.marks,
                "budgeted": [channel.value for channel in asked.budgeted],
            },
        ).one()
        return _found(row, asked.former)

    def hold_numbers(self, numbers: Collection[bytes]) -> None:
        """Wait until nobody is about to contact these numbers; nobody begins to until the transaction ends."""
        for number in sorted(map(_lock_of, set(numbers))):
            self.connection.execute(_HOLD_NUMBER, {"number": number})

    def hold_all(self) -> None:
        """Wait until nobody is about to contact anybody; nobody begins to until the transaction ends."""
        self.connection.execute(_HOLD_STOPS, {"stops": _STOP_CLASS})


def _found(row: Any, former: Mapping[bytes, bytes]) -> Found:
    def current(number: str) -> bytes:
        mark = bytes.fromhex(number)
        return former.get(mark, mark)

    past: defaultdict[bytes, list[datetime]] = defaultdict(list)
    for number, moment in row.past or ():
        past[current(number)].append(datetime.fromisoformat(moment))
    barred: defaultdict[bytes, set[Channel | None]] = defaultdict(set)
    for number, channel in row.barred or ():
        barred[current(number)].add(_channel(channel))
    return Found(
        now=row.now,
        past=past,
        barred={number: frozenset(channels) for number, channels in barred.items()},
        stops=[OpenStop(_channel(channel), region, reason) for channel, region, reason in row.stops or ()],
        spent={Channel(channel): spent for channel, spent in (row.spent or {}).items()},
    )


def _channel(name: str | None) -> Channel | None:
    return None if name is None else Channel(name)


def _lock_of(number: bytes) -> int:
    """The number's advisory lock: chance makes two numbers share one never in practice, and that costs a wait."""
    return int.from_bytes(number[:8], "big", signed=True)
