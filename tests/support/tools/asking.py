"""A contact to be made through a real provider, as the tests of the adapters need one."""

from typing import Any

from schemas.orders.contact import Channel
from tools.channels.contract import ContactRequest

NUMBER = "13800139999"
KEY = "HT20260316001.1.3"
SCRIPT = "pending_task_v1"


def request(channel: Channel, **changes: Any) -> ContactRequest:
    """An attempt with everything a provider may want to know."""
    values: dict[str, Any] = {
        "key": KEY,
        "channel": channel,
        "to": "+8613800139999",
        "task_id": "HT20260316001",
        "script_id": SCRIPT,
        "variables": {"order_type": "已上门", "product": "空调"},
        "callback_url": "http://127.0.0.1:9/v1/webhooks/contact/vendor",
        "simulation": None,
        "timeout_seconds": 5.0,
    }
    return ContactRequest(**(values | changes))
