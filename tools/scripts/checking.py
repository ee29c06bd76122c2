"""Checks of a script: variables are declared, calls say that a machine speaks, nothing is advertised."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from runtime.personal import PersonalFields
from schemas.orders.contact import Channel
from tools.scripts.rendering import GAP
from tools.scripts.script import Script, Wording

NEVER_SAID: Final = frozenset({"phone", "customer_id"})
"""What no script may say, beside what an installation declares personal."""

ASSISTANT: Final = "智能语音助手"
"""What a call must say it is, before anything else (人工智能生成合成内容标识办法, in force since 2025-09-01)."""

ADVERTISING: Final = (
    "优惠", "促销", "折扣", "特价", "打折", "抽奖", "中奖", "红包", "免费领", "限时", "立减", "返现", "赠送", "秒杀",
    "会员专享", "推广", "加微信", "以旧换新",
)  # fmt: skip
"""Words of advertisements: an order is followed up as a service, for which nobody consented to marketing."""

SMS_PART: Final = 70
"""Characters of a text that is sent in one part."""
_SMS_FURTHER_PART: Final = 67
_MOST_SMS_PARTS: Final = 4
_LONGEST_SPOKEN: Final = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """An error or a warning in a script; `field` is its place in the file."""

    field: str
    message: str
    is_warning: bool = False


def findings(script: Script, personal: PersonalFields) -> tuple[Finding, ...]:
    """Return the errors and warnings of a script, which may say nothing of what is `personal`."""
    return (
        *_unsayable(script, personal),
        *_gaps(script),
        *_openings(script),
        *_advertising(script),
        *_lengths(script),
    )


def sms_parts(characters: int) -> int:
    """Return the number of SMS parts, as charged, of a text of this length."""
    return 1 if characters <= SMS_PART else -(-characters // _SMS_FURTHER_PART)


def longest(script: Script, wording: Wording) -> int:
    """Return the greatest length of the text with every variable filled in."""
    gaps = [script.variables[name].longest for name in GAP.findall(wording.words) if name in script.variables]
    return len(GAP.sub("", wording.words)) + sum(gaps)


def _unsayable(script: Script, personal: PersonalFields) -> Iterator[Finding]:
    for name in script.variables:
        if name in NEVER_SAID or personal.holds(name):
            yield Finding(
                f"variables.{name}", "is personal, and may not be said: whoever answers may be somebody else"
            )


def _gaps(script: Script) -> Iterator[Finding]:
    used: set[str] = set()
    for channel, wording in script.channels.items():
        in_words = set(GAP.findall(wording.words))
        used |= in_words
        for name in sorted(in_words - script.variables.keys()):
            yield Finding(
                f"channels.{channel.value}.text", f"{{{name:.40}}} is not declared under `variables`"
            )
        if "{" in GAP.sub("", wording.words) or "}" in GAP.sub("", wording.words):
            yield Finding(f"channels.{channel.value}.text", "has a brace that opens or closes no gap")
        for provider, template in wording.templates.items():
            unknown = sorted(set(template.variables) - script.variables.keys())
            used |= set(template.variables)
            for name in unknown:
                place = f"channels.{channel.value}.templates.{provider}.variables"
                yield Finding(place, f"'{name:.40}' is not declared under `variables`")
    for name in sorted(script.variables.keys() - used):
        yield Finding(f"variables.{name}", "is used in no channel; use it or take it away")
    for name, variable in script.variables.items():
        if variable.default is not None and len(variable.default) > variable.longest:
            yield Finding(f"variables.{name}.default", f"is longer than its longest ({variable.longest})")


def _openings(script: Script) -> Iterator[Finding]:
    phone = script.channels.get(Channel.PHONE)
    if phone is not None and ASSISTANT not in phone.opening:
        yield Finding(
            "channels.phone.opening",
            f"must say that a machine is calling: the words '{ASSISTANT}' are missing",
        )


def _advertising(script: Script) -> Iterator[Finding]:
    texts = [
        *((f"channels.{channel.value}", wording.words) for channel, wording in script.channels.items()),
        *((f"variables.{name}.default", each.default or "") for name, each in script.variables.items()),
    ]
    for place, text in texts:
        for word in ADVERTISING:
            if word in text:
                yield Finding(
                    place, f"'{word}' is a word of advertisements, which a service call may not hold"
                )


def _lengths(script: Script) -> Iterator[Finding]:
    sms, phone = script.channels.get(Channel.SMS), script.channels.get(Channel.PHONE)
    if sms is not None and (parts := sms_parts(longest(script, sms))) > 1:
        message = (
            f"may have {longest(script, sms)} characters, more than {SMS_PART}: {parts} parts are charged"
        )
        yield Finding("channels.sms.text", message, is_warning=parts <= _MOST_SMS_PARTS)
    if phone is not None and longest(script, phone) > _LONGEST_SPOKEN:
        message = f"may have {longest(script, phone)} characters, which takes more than a minute to speak"
        yield Finding("channels.phone.text", message, is_warning=True)
