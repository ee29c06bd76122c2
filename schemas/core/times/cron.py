"""A cron expression: five fields, read once, walked on a local wall clock that knows no time zone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cronsim import CronSim, CronSimError

LONGEST: Final = 100
_FIELDS: Final = ("minute", "hour", "day of the month", "month", "day of the week")
_ANY_DAY: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a wall clock's; the expression is read, not walked


class MalformedCron(ValueError):
    """An expression that cannot be read, or that no day ever fits; the message says where and shows one."""


@dataclass(frozen=True, slots=True)
class CronExpression:
    """Minute, hour, day of the month, month and day of the week, as cron has them (0 and 7 are Sunday).

    Days may be `L` (the last), `LW` (the last working day), `1#2` (the second Monday) or `5L` (the last
    Friday). Where both days are restricted, either fits.
    """

    text: str
    words: str = field(compare=False, repr=False)
    """What it means, in English."""

    @classmethod
    def read(cls, text: str) -> "CronExpression":
        """The expression in this text; blanks are evened out.

        Raises:
            MalformedCron: it is none, or no day ever fits.
        """
        fields = text.split()
        if len(text) > LONGEST or len(fields) != len(_FIELDS):
            raise MalformedCron(
                f"must have five fields ({', '.join(_FIELDS)}) in at most {LONGEST} characters, "
                f"as '0 10 * * 1' for every Monday at 10:00; this has {len(fields)} fields"
            )
        even = " ".join(fields)
        try:
            walk = CronSim(even, _ANY_DAY)
            next(walk)
        except (CronSimError, ValueError) as error:
            problem = str(error).removeprefix("Bad ") or "a field"
            raise MalformedCron(
                f"cannot be read: its {problem} is not what cron takes; '0 10 * * 1' is every Monday at 10:00"
            ) from error
        except StopIteration as error:
            raise MalformedCron("fits no day at all; there is no such day of the month") from error
        return cls(even, CronSim(even, _ANY_DAY).explain())

    def after(self, local: datetime) -> Iterator[datetime]:
        """The wall times that fit, strictly later than this one; ends after half a century without any.

        Args:
            local: A time on a wall clock, without a zone.
        """
        yield from CronSim(self.text, local)

    def before(self, local: datetime) -> Iterator[datetime]:
        """The wall times that fit, strictly earlier than this one, the latest first; ends as `after` does.

        Args:
            local: A time on a wall clock, without a zone.
        """
        yield from CronSim(self.text, local, reverse=True)
