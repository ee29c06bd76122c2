"""Phone numbers in the form providers dial: E.164 abroad, the national form within China."""

from typing import Final

import phonenumbers

from runtime.phone import normalise

_HOME: Final = "+86"


def international(number: str) -> str | None:
    """Return the number in E.164, as `+8613800138000`; None when it cannot be called."""
    phone = normalise(number)
    return None if phone is None else phone.e164


def mainland(number: str) -> str | None:
    """Return the number in Aliyun's form: `13800138000`, `057112345678`; abroad `85212345678`.

    None when it is none that can be called.
    """
    phone = normalise(number)
    if phone is None:
        return None
    if not phone.e164.startswith(_HOME):
        return phone.e164.removeprefix("+")
    parsed = phonenumbers.parse(phone.e164, None)
    fixed = phonenumbers.number_type(parsed) is phonenumbers.PhoneNumberType.FIXED_LINE
    return f"{'0' if fixed else ''}{phone.e164.removeprefix(_HOME)}"
