"""Fills in the script for a contact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.outcomes import Failed
from schemas.orders.contact import Channel
from schemas.people.why import Why, WhyCode
from storage.orders.order import Order
from tasks.orders.rules.context import Context
from tasks.orders.rules.reasons import failed
from tools.channels.script import Template
from tools.scripts.rendering import Unrenderable, render
from tools.scripts.script import Script

USUAL: Final = "pending_task_v1"
"""The script of an order for which nobody names another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptText:
    """The words for a customer, and by which version of which script."""

    script_id: str
    script_version: str
    text: str
    variables: Mapping[str, str]
    templates: Mapping[str, Template]


def script_for(context: Context, order: Order, called: object = None) -> Script | str:
    """The script that a caller names, else the order's own, else the usual one; its name where there is none.

    Args:
        context: Holds the scripts of the installation.
        order: May name a script, or one version of it, in its metadata as `script_id`.
        called: The script that the caller of this contact names.
    """
    reference = str(called or order.metadata.get("script_id") or USUAL)
    return context.scripts.find(reference) or reference[:64]


def known_of(order: Order) -> dict[str, object]:
    """What may fill a script's gaps for this order, by a variable's name."""
    return {**order.metadata, "order_type": order.order_type}


def script_text_for(
    context: Context, order: Order, channel: Channel, called: object = None
) -> ScriptText | Failed:
    """The words for this customer on this channel; refused, for a person to settle, when there are none."""
    script = script_for(context, order, called)
    if isinstance(script, str):
        return failed(Why(WhyCode.SCRIPT_UNKNOWN, {"script": script, "known": context.scripts.names}))
    rendered = render(script, channel, known_of(order))
    if isinstance(rendered, Unrenderable):
        return failed(Why(WhyCode.SCRIPT_INCOMPLETE, {"said": rendered.problems}))
    return ScriptText(
        script_id=script.script_id,
        script_version=str(script.version),
        text=rendered.text,
        variables=rendered.variables,
        templates=script.channels[channel].templates,
    )
