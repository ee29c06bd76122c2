"""A contact whose outcome is asked about, as tests need one."""

from datetime import UTC, datetime
from typing import Any

from schemas.orders.contact import Channel
from tools.channels.contract import ContactQuery


def sought(key: str, channel: Channel = Channel.PHONE, **changes: Any) -> ContactQuery:
    """The contact with this key, begun a moment ago, whose provider never named it."""
    values: dict[str, Any] = {
        "key": key,
        "channel": channel,
        "to": "13800139999",
        "provider_id": None,
        "begun_at": datetime.now(UTC),
        "age_seconds": 1.0,
    }
    return ContactQuery(**(values | changes))
