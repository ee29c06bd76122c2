"""Requests for contacts as the tests make them."""

from collections.abc import Mapping

from schemas.orders.contact import Channel
from tests.support.simulator.provider_process import CallbackReceiver
from tools.channels.contract import ContactRequest

PHONE = "13800139999"
SAID: Mapping[str, object] = {"result": "answered", "transcript": "可以上门了。"}


def contact(
    key: str,
    receiver: CallbackReceiver,
    simulation: Mapping[str, object] | None = SAID,
    *,
    channel: Channel = Channel.PHONE,
    to: str = PHONE,
    timeout_seconds: float = 180,
) -> ContactRequest:
    return ContactRequest(
        key=key,
        channel=channel,
        to=to,
        task_id="HT1",
        script_id="visit",
        variables={"product": "空调"},
        callback_url=receiver.url,
        simulation=simulation,
        timeout_seconds=timeout_seconds,
    )


def faulty(fault: object) -> dict[str, object]:
    return {**SAID, "fault": fault}
