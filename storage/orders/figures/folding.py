"""Counts what came since the last time, and looks again at what may have changed; each row counts exactly once.

A fold is one transaction: the totals, what was counted of rows that change yet, and the place in the feed are written
together, under the lock of the feed's row. What breaks off has counted nothing, and two that fold take turns.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import TextClause, text

from storage.core.unit_of_work import Repository
from storage.engine.states import ENDED
from storage.orders.figures.feeds import GAUGES, WALK, FigureFeed

_GAUGES: Final = ", ".join(f"'{name}'" for name in GAUGES)
_LOCK: Final = text("SELECT place, again, walked FROM figure_feeds WHERE feed = :feed FOR UPDATE")
_PLACE: Final = text("SELECT place FROM figure_feeds WHERE feed = :feed")
_BEGIN: Final = text("INSERT INTO figure_feeds (feed) VALUES (:feed) ON CONFLICT DO NOTHING")
_MOVE: Final = text("UPDATE figure_feeds SET place = :place, again = :again WHERE feed = :feed")
_AGAIN: Final = text(
    "SELECT count(*) AS rows, max(position) AS last FROM (SELECT position FROM figure_pending "
    "WHERE feed = :feed AND position > :again ORDER BY position LIMIT :most) AS next"
)
_ADD: Final = """
    INSERT INTO figures (name, labelled, value)
    SELECT split_part(key, '/', 1), substr(key, strpos(key, '/') + 1), sum(value) FROM changes
    GROUP BY key HAVING sum(value) <> 0
    ON CONFLICT (name, labelled) DO UPDATE SET value = figures.value + excluded.value
"""
# Lost is an order that is open while nothing is to happen to it, and nobody was asked. Scalars, order by order: of an
# EXISTS the planner may make a hash of every review there is.
_WALK: Final = text(
    f"""
    SELECT count(*) AS orders, count(*) FILTER (WHERE lost) AS lost,
        max(order_id) AS last
    FROM (
        SELECT t.order_id,
            (SELECT true FROM steps s WHERE s.run_id = t.run_id AND s.state NOT IN ({ENDED}) LIMIT 1) IS NULL
            AND (SELECT true FROM reviews r WHERE r.task_id = t.task_id AND r.state = 'open' LIMIT 1) IS NULL AS lost
        FROM tasks t WHERE t.finished_at IS NULL AND t.order_id > :walked
        ORDER BY t.order_id LIMIT :most
    ) AS open_orders
    """
)
_WALKED: Final = text("UPDATE figure_feeds SET walked = :walked WHERE feed = :feed")
_LOST: Final = text(
    "INSERT INTO figures (name, labelled, value) VALUES ('lost', :label, :lost) "
    "ON CONFLICT (name, labelled) DO UPDATE SET value = excluded.value"
)
_LOST_SO_FAR: Final = text("SELECT value FROM figures WHERE name = 'lost' AND labelled = 'walking'")


@cache
def _fold(feed: FigureFeed) -> TextClause:
    return text(
        f"""
        WITH looked AS MATERIALIZED (
            SELECT {feed.position} AS position FROM {feed.table}
            WHERE {feed.position} > :place AND {feed.position} <= :up_to
            UNION ALL SELECT position FROM figure_pending
            WHERE feed = :feed AND position > :again AND position <= :again_to
        ), found AS MATERIALIZED ({feed.adds}), former AS MATERIALIZED (
            SELECT position, counted FROM figure_pending
            WHERE feed = :feed AND position > :again AND position <= :again_to
        ), present AS MATERIALIZED (
            -- What was final when it was first looked at, most of all there is, needs no account of its own.
            SELECT position, bool_and(final) AS final,
                coalesce(jsonb_object_agg(name || '/' || label, value) FILTER (WHERE value <> 0), '{{}}') AS counted
            FROM found WHERE NOT final OR position IN (SELECT position FROM former) GROUP BY position
        ), over AS (
            DELETE FROM figure_pending p USING former LEFT JOIN present USING (position)
            WHERE p.feed = :feed AND p.position = former.position AND coalesce(present.final, true)
        ), kept AS (
            INSERT INTO figure_pending (feed, position, counted)
            SELECT :feed, position, counted FROM present WHERE NOT final
            ON CONFLICT (feed, position) DO UPDATE SET counted = excluded.counted
            WHERE figure_pending.counted <> excluded.counted
        ), changes AS (
            SELECT name || '/' || label AS key, CAST(value AS numeric) AS value FROM found WHERE value <> 0
            UNION ALL
            SELECT key, -CAST(value AS numeric) FROM former LEFT JOIN present USING (position),
                jsonb_each_text(former.counted)
            -- Of a row that was removed what happened stays counted, and how it stood does not.
            WHERE present.position IS NOT NULL OR split_part(key, '/', 1) IN ({_GAUGES})
        ) {_ADD}
        """
    )


@dataclass(frozen=True, slots=True)
class Folding(Repository):
    """The only code that writes figures."""

    def place(self, feed: FigureFeed) -> int:
        """The last row of a feed that was counted."""
        return self.connection.execute(_PLACE, {"feed": feed.name}).scalar_one_or_none() or 0

    def fold(self, feed: FigureFeed, *, up_to: int, most: int, again: int) -> bool:
        """Count the next rows of a feed, and look again at some that change yet; whether more rows wait.

        Args:
            feed: What is read.
            up_to: The newest row below which no other appears any more.
            most: How many rows.
            again: How many to look at again.
        """
        self.connection.execute(_BEGIN, {"feed": feed.name})
        at = self.connection.execute(_LOCK, {"feed": feed.name}).one()
        further = text(
            f"SELECT coalesce(max(position), :place) FROM (SELECT {feed.position} AS position "
            f"FROM {feed.table} WHERE {feed.position} > :place AND {feed.position} <= :up_to "
            f"ORDER BY {feed.position} LIMIT :most) AS next"
        )
        place = self.connection.execute(
            further, {"place": at.place, "up_to": up_to, "most": most}
        ).scalar_one()
        seen = self.connection.execute(_AGAIN, {"feed": feed.name, "again": at.again, "most": again}).one()
        again_to = at.again if seen.last is None else seen.last
        self.connection.execute(
            _fold(feed),
            {"feed": feed.name, "place": at.place, "up_to": place, "again": at.again, "again_to": again_to},
        )
        self.connection.execute(
            _MOVE, {"feed": feed.name, "place": place, "again": again_to if seen.rows == again else 0}
        )
        return bool(place < up_to)

    def walk(self, *, most: int) -> None:
        """Look whether something is to happen to the next open orders; at the end it is known how many are lost."""
        self.connection.execute(_BEGIN, {"feed": WALK})
        at = self.connection.execute(_LOCK, {"feed": WALK}).one()
        found = self.connection.execute(_WALK, {"walked": at.walked, "most": most}).one()
        former = 0 if not at.walked else int(self.connection.execute(_LOST_SO_FAR).scalar_one())
        ended = found.orders < most
        self.connection.execute(_LOST, {"label": "walking", "lost": former + found.lost})
        if ended:
            self.connection.execute(_LOST, {"label": "walked", "lost": former + found.lost})
        self.connection.execute(_WALKED, {"feed": WALK, "walked": "" if ended else found.last})
