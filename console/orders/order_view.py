"""What the pages of orders show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlencode

from console.server.form import EMPTY, Form
from console.server.navigation import PREFIX
from statemachine.orders.states import State
from storage.orders.lists.attempt_list import AttemptOutcome, ListedAttempt
from storage.orders.lists.order_list import ListedOrder
from tasks.orders.explain.dossier import TimelineEntry, TimelineLane
from tasks.orders.explain.explanation import Explanation, Wait
from tasks.orders.people.order_file import OrderFile
from tasks.orders.people.steering import OrderVerb

PAGE_ROWS: Final = 50
MOST_ENTRIES: Final = 300
"""Rows of a timeline that a page shows: the last ones."""
FILTERS: Final = ("status", "wait", "reason", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersPage:
    """Orders that pass the filters of the address, a page of them."""

    template: ClassVar[str] = "orders/orders.html"
    page: ClassVar[str] = "orders.orders"

    asked: Mapping[str, str]
    """The filters, and what was searched for (`q`), as the address has them."""
    orders: Sequence[ListedOrder]
    total: int
    cursor: str | None
    """Of the next page."""
    is_first: bool
    states: ClassVar[tuple[State, ...]] = tuple(State)
    waits: ClassVar[tuple[Wait, ...]] = tuple(Wait)

    @property
    def is_live(self) -> bool:
        """Whether it follows every change; what looks at every open order is read when somebody asks for it."""
        return self.asked["wait"] in ("", Wait.NOTHING, "open")

    @property
    def next_address(self) -> str:
        """The page behind this one, with the same filters."""
        return _address("/orders", {**self.asked, "cursor": self.cursor or ""})

    @property
    def first_address(self) -> str:
        """The first page, with the same filters."""
        return _address("/orders", self.asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsPage:
    """Attempts to reach customers, of one outcome or of all that count."""

    template: ClassVar[str] = "orders/attempts.html"
    page: ClassVar[str] = "orders.attempts"

    outcome: AttemptOutcome | None
    attempts: Sequence[ListedAttempt]
    total: int
    before: int | None
    is_first: bool
    outcomes: ClassVar[tuple[AttemptOutcome, ...]] = tuple(AttemptOutcome)

    @property
    def next_address(self) -> str:
        """The page behind this one."""
        return _address("/contacts", {"outcome": self.outcome or "", "before": str(self.before or "")})

    @property
    def first_address(self) -> str:
        """The first page."""
        return _address("/contacts", {"outcome": self.outcome or ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """Everything that is known of one order, and what may be done to it."""

    template: ClassVar[str] = "orders/order.html"
    page: ClassVar[str] = "orders.order"

    file: OrderFile
    explanation: Explanation
    sentences: str
    is_overdue: bool
    """Whether what it waits for was due before now."""
    phone: str | None
    facts: Mapping[str, str]
    """What of its metadata is shown, masked."""
    lane: TimelineLane | None
    """The only lane that is shown of the timeline."""
    form: Form = EMPTY
    refusal: str | None = None
    """The key of the words that say why nothing was done."""
    done: OrderVerb | None = None
    """What was just done."""
    lanes: ClassVar[tuple[TimelineLane, ...]] = tuple(TimelineLane)

    @property
    def entries(self) -> Sequence[TimelineEntry]:
        """The rows of the timeline that are shown."""
        return [entry for entry in self.file.entries if self.lane is None or entry.lane is self.lane][
            -MOST_ENTRIES:
        ]

    @property
    def hidden_entries(self) -> int:
        """Older rows, which only the file has."""
        shown = [entry for entry in self.file.entries if self.lane is None or entry.lane is self.lane]
        return max(len(shown) - MOST_ENTRIES, 0)

    @property
    def steering(self) -> Sequence[OrderVerb]:
        """What may be done that is done by a button with a reason."""
        further = {OrderVerb.PRIORITY, OrderVerb.DATE, OrderVerb.DO_NOT_CALL}
        return [verb for verb in OrderVerb if verb in self.file.verbs and verb not in further]


def _address(path: str, query: Mapping[str, str]) -> str:
    given = {name: value for name, value in query.items() if value}
    return f"{PREFIX}{path}" + (f"?{urlencode(given)}" if given else "")
