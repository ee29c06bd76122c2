"""Ids given by upstream systems, and how they may be shown."""

import re
from typing import Final

from runtime.mask import mask_text

FORM: Final = r"[A-Za-z0-9][A-Za-z0-9_.:-]*"
"""What such a name is made of."""
LONGEST: Final = 32
"""Characters it may have."""

_NO_NUMBER: Final = re.compile(rf"(?=.{{1,{LONGEST}}}$)(?=.{{0,{LONGEST}}}[A-Za-z]){FORM}")


def shown_id(given: str) -> str:
    """Return an id as it may be shown: unchanged if it contains a letter, else masked.

    The digits of a name may look like a phone number; what has nothing but digits, or no form, may be one.
    """
    return given if _NO_NUMBER.fullmatch(given) else mask_text(given)
