"""Watches for channels that fail: one alert a channel, resolved when it sends again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from runtime.logs import logger
from runtime.mask import mask_text
from schemas.orders.contact import Channel
from schemas.people.effects import AlertRaised
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.people.alerts import Alerts
from tasks.people.alerts import resolve
from tasks.people.escalation import escalated_to

ALERT: Final = "channel_away"
"""The type of the alert."""

AWAY_AFTER: Final = timedelta(minutes=3)
"""How long nothing must have gone through before the alert is raised."""

_AGENT: Final = "contact_agent"
_log = logger(__name__)


@dataclass(slots=True)
class ChannelWatch:
    """What one process has seen of the channels; safe to share between threads.

    The database is asked when a channel has been away for long, and at the first contact that goes through after a
    fault or after the process started: an alert that an earlier process raised is resolved then.
    """

    database: Database
    _failing_since: dict[Channel, datetime] = field(default_factory=dict)
    _well: set[Channel] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def sent(self, channel: Channel) -> None:
        """A contact went through."""
        with self._lock:
            if channel in self._well:
                return
            self._failing_since.pop(channel, None)
            try:
                self._resolve(channel)
            except StorageUnavailable as error:
                _log.warning("PostgreSQL away; the channel's alert is resolved later", error=str(error))
            else:
                self._well.add(channel)

    def failed(self, channel: Channel, reason: str, at: datetime) -> None:
        """A contact was certainly not sent, through no fault of its own, at this moment of the database's clock."""
        with self._lock:
            self._well.discard(channel)
            since = self._failing_since.setdefault(channel, at)
            if at - since < AWAY_AFTER:
                return
            try:
                self._raise(channel, reason, since)
            except StorageUnavailable as error:
                _log.warning("PostgreSQL away; the channel's alert is raised later", error=str(error))

    def _raise(self, channel: Channel, reason: str, since: datetime) -> None:
        with self.database.transaction() as work:
            if Alerts(work).hold_open(ALERT, channel):
                return
            alert = AlertRaised(
                alert_type=ALERT,
                severity="critical",
                message=f"联系渠道 {channel} 无法发送, 相关工单在等待: {mask_text(reason)}",
                escalated_to=escalated_to(ALERT, "critical"),
                metadata={"channel": channel, "since": since},
            )
            Alerts(work).raise_all([alert])

    def _resolve(self, channel: Channel) -> None:
        with self.database.looks() as work:
            open_alerts = Alerts(work).open_of(ALERT, channel)
        for alert_id in open_alerts:
            resolve(self.database, alert_id, by=_AGENT, note="渠道已恢复发送")
