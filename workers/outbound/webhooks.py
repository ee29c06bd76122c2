"""The process that tells other systems: makes deliveries of events, sends what is due, writes what came of it.

Any number of these processes may run. A crash repeats at most what was under way, under the same id.
"""

import asyncio
import random
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from runtime.cipher import Cipher, UnreadableCiphertext
from runtime.logs import logger
from runtime.mask import mask_text
from runtime.settings import Settings
from schemas.people.effects import AlertRaised
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.core.unit_of_work import UnitOfWork
from storage.outbound.deliveries import Concluded, Deliveries, Taken, Try
from storage.outbound.subscribers import Outlook, Secrets, Subscribers
from storage.people.alerts import Alerts
from tasks.outbound.messages import PAUSES, body_of, pause_after
from tools.webhooks.sender import TIMEOUT_SECONDS, DeliveryTry, WebhookMessage, WebhookSender
from workers.outbound.circuit import Circuit
from workers.outbound.feeding import feed
from workers.outbound.notices import telling_staff

_log = logger(__name__)

_GONE: Final = "the subscriber answered 410 Gone"
_LAST_SECONDS: Final = 3.0
"""What is under way when the process is told to stop may take so long; what takes longer is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, how much, how patient."""

    poll_seconds: float = 1.0
    timeout_seconds: float = TIMEOUT_SECONDS
    most_at_once: int = 16
    most_to_one: int = 4
    pauses: tuple[timedelta, ...] = PAUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """A delivery in hand, and where it goes."""

    subscriber_id: str
    url: str
    secrets: Secrets
    taken: Taken


class Courier:
    """Feeds, takes, sends and concludes until it is told to stop. Belongs to one event loop."""

    def __init__(self, database: Database, sender: WebhookSender, pace: Pace | None = None) -> None:
        self._database = database
        self._sender = sender
        self._pace = pace or Pace()
        self._circuits: dict[str, Circuit] = {}
        self._under_way: set[asyncio.Task[DeliveryTry]] = set()
        self._ended: list[tuple[str, Try]] = []
        self._wake = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Take nothing more; `run` ends when what is under way has ended, or soon."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop`. While PostgreSQL is away nothing is sent."""
        while not self._stopping:
            self._wake.clear()
            try:
                busy = await self._round()
            except StorageUnavailable as error:
                _log.warning("webhooks wait for PostgreSQL", error=mask_text(str(error)))
                busy = False
            if not busy:
                await self._rest()
        await self._finish()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), self._pace.poll_seconds)
        except TimeoutError:
            return

    async def _round(self) -> bool:
        concluded = await self._conclude()
        outlooks, fed = await asyncio.to_thread(self._feed)
        self._forget_others({outlook.subscriber_id for outlook in outlooks})
        rooms = self._rooms([outlook.subscriber_id for outlook in outlooks if outlook.due or outlook.behind])
        parcels = await asyncio.to_thread(self._take, rooms) if rooms else []
        for parcel in parcels:
            self._circuit(parcel.subscriber_id).under_way += 1
            task = asyncio.create_task(self._deliver(parcel))
            self._under_way.add(task)
            task.add_done_callback(partial(self._ended_with, parcel))
        return concluded or fed or bool(parcels)

    def _feed(self) -> tuple[list[Outlook], bool]:
        """Ask what there is to do, and feed those who are behind, one batch each."""
        with self._database.transaction() as work:
            outlooks = Subscribers(work).outlook()
        fed = False
        for outlook in outlooks:
            if outlook.behind:
                with self._database.transaction() as work:
                    fed |= feed(work, outlook.subscriber_id)
        return outlooks, fed

    def _rooms(self, waiting: list[str]) -> dict[str, int]:
        """How many to take for each; whoever has least under way comes first, so that nobody keeps the others."""
        now = time.monotonic()
        left = self._pace.most_at_once - sum(circuit.under_way for circuit in self._circuits.values())
        rooms: dict[str, int] = {}
        for subscriber_id in sorted(waiting, key=lambda s: self._circuit(s).under_way):
            room = min(self._circuit(subscriber_id).room(now), left)
            if room > 0:
                rooms[subscriber_id] = room
                left -= room
        return rooms

    def _take(self, rooms: Mapping[str, int]) -> list[_Parcel]:
        parcels: list[_Parcel] = []
        with self._database.transaction() as work:
            for subscriber_id, room in rooms.items():
                subscriber = Subscribers(work).find(subscriber_id)
                secrets = Subscribers(work).secrets(subscriber_id)
                if subscriber is not None and secrets is not None and subscriber.active:
                    parcels.extend(
                        _Parcel(subscriber_id=subscriber_id, url=subscriber.url, secrets=secrets, taken=taken)
                        for taken in Deliveries(work).take(subscriber_id, room)
                    )
        return parcels

    async def _deliver(self, parcel: _Parcel) -> DeliveryTry:
        try:
            return await self._sender.send(
                WebhookMessage(
                    message_id=parcel.taken.delivery_id,
                    url=parcel.url,
                    body=body_of(parcel.taken.payload),
                    secrets=parcel.secrets.open(),
                )
            )
        except UnreadableCiphertext as error:
            return DeliveryTry(status=None, error=str(error))

    def _ended_with(self, parcel: _Parcel, task: asyncio.Task[DeliveryTry]) -> None:
        """Give the place back whatever came of it; what died of a fault of ours is a failed try, and is told."""
        self._under_way.discard(task)
        circuit = self._circuit(parcel.subscriber_id)
        if task.cancelled():
            circuit.under_way -= 1
            return
        fault = task.exception()
        answer = task.result() if fault is None else _fault_of_ours(parcel.taken, fault)
        circuit.note(time.monotonic(), delivered=answer.delivered)
        if not answer.delivered:
            _log.info(
                "webhook not delivered",
                subscriber_id=parcel.subscriber_id,
                delivery_id=parcel.taken.delivery_id,
                tries=parcel.taken.tries,
                status=answer.status,
                error=answer.error,
            )
        self._ended.append((parcel.subscriber_id, self._try(parcel.taken, answer)))
        self._wake.set()

    def _forget_others(self, known: set[str]) -> None:
        for subscriber_id in [s for s, c in self._circuits.items() if s not in known and not c.under_way]:
            del self._circuits[subscriber_id]

    def _try(self, taken: Taken, answer: DeliveryTry) -> Try:
        chance = random.random()  # noqa: S311 - spreads retries, keeps no secret
        pause = pause_after(taken.tries, answer.retry_after_seconds, chance, self._pace.pauses)
        return Try(
            delivery_id=taken.delivery_id,
            tries=taken.tries,
            status=answer.status,
            error=_GONE if answer.gone else answer.error,
            after_seconds=pause.total_seconds(),
            final=answer.gone,
        )

    async def _conclude(self) -> bool:
        if not self._ended:
            return False
        ended, self._ended = self._ended, []
        failing = {s for s, circuit in self._circuits.items() if circuit.is_open}
        try:
            await asyncio.to_thread(self._write, ended, failing)
        except StorageUnavailable:
            self._ended = ended + self._ended
            raise
        return True

    def _write(self, ended: list[tuple[str, Try]], failing: set[str]) -> None:
        with self._database.transaction() as work:
            concluded = Deliveries(work).conclude([tried for _, tried in ended])
            gone = {subscriber_id for subscriber_id, tried in ended if tried.final}
            Alerts(work).raise_all(_lost(work, concluded, gone, failing))

    async def _finish(self) -> None:
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=_LAST_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            await self._conclude()
        except StorageUnavailable as error:
            _log.warning("the last webhooks will be sent again", error=mask_text(str(error)))

    def _circuit(self, subscriber_id: str) -> Circuit:
        return self._circuits.setdefault(subscriber_id, Circuit(self._pace.most_to_one))


def _fault_of_ours(taken: Taken, fault: BaseException) -> DeliveryTry:
    """What is kept of a try that our own code broke off; its message is left out: it may hold the address."""
    name = type(fault).__name__
    where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(fault.__traceback__)]
    _log.error("a webhook was broken off", delivery_id=taken.delivery_id, fault=name, where=where)
    return DeliveryTry(status=None, error=f"a fault of ours: {name}")


def _lost(
    work: UnitOfWork, concluded: list[Concluded], gone: set[str], failing: set[str]
) -> list[AlertRaised]:
    """Give up what is lost with these tries; the alerts that say so, one a subscriber."""
    alerts = []
    lost = Counter(
        c.subscriber_id for c in concluded if c.state == "given_up" and c.subscriber_id not in gone
    )
    for subscriber_id, tried in lost.items():
        number = tried
        if subscriber_id in failing:
            # It has not answered for a day: what is as old is not worth a try each.
            number += Deliveries(work).give_up_old(subscriber_id, "the subscriber did not answer for a day")
        text = f"订阅方 {subscriber_id} 的 {number} 条消息一天内未能送达, 已放弃"
        alerts.append(_alert("webhook_given_up", text, subscriber_id, number))
    for subscriber_id in gone:
        if Subscribers(work).deactivate(subscriber_id):
            number = Deliveries(work).give_up_all(subscriber_id, _GONE)
            text = f"订阅方 {subscriber_id} 回应 410 Gone, 已停用"
            alerts.append(_alert("webhook_subscriber_gone", text, subscriber_id, number))
    return alerts


def _alert(kind: str, message: str, subscriber_id: str, number: int) -> AlertRaised:
    return AlertRaised(
        alert_type=kind,
        severity="warning",
        message=message,
        escalated_to="operations",
        metadata={"subscriber_id": subscriber_id, "given_up": number},
    )


def serve(settings: Settings, ready: Callable[[], None]) -> None:
    """Tell subscribers until the process is told to stop; `ready` is called when it has begun."""
    asyncio.run(_serve(settings, ready))


async def _serve(settings: Settings, ready: Callable[[], None]) -> None:
    cipher = Cipher.of_settings(settings)
    url = settings.database_url.get_secret_value()
    pace = Pace()
    with Database(url, cipher, pool_size=1, application="unpend-webhooks") as database:
        async with (
            WebhookSender(most_at_once=pace.most_at_once) as sender,
            telling_staff(database, settings),
        ):
            courier = Courier(database, sender, pace)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, courier.stop)
            ready()
            await courier.run()
