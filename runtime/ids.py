"""Identifiers: a prefix for the kind, and a unique part that sorts by time. At most 32 characters."""

import random
import re
import time
from datetime import datetime
from enum import StrEnum
from typing import Final


class Prefix(StrEnum):
    """The kinds of identifiers (SPEC.md §6)."""

    RUN = "exec_"
    TRANSITION = "txn_"
    CONTACT = "CONT"
    ACTION = "ACT"
    LOG = "LOG"
    ALERT = "ALT"
    FOLLOWUP = "FU"
    REVIEW = "REV"
    REJECT = "REJ"
    REQUEST = "req_"
    DISPATCH = "disp_"
    LEASE = "lease_"
    KEY = "key_"
    SESSION = "ses_"
    USER = "usr_"
    SUBSCRIBER = "sub_"
    DELIVERY = "msg_"
    SIGNAL = "sig_"
    LABEL = "LAB"
    STOP = "stop_"
    DO_NOT_CALL = "dnc_"
    REPORT = "REP"
    HOLD = "hold_"
    IDENTITY = "im_"


MILLISECOND_DIGITS: Final = 11
"""Hex digits of an identifier's time, behind its prefix."""
CHANCE_DIGITS: Final = 15
"""Hex digits of its random end."""

WRITTEN: Final = re.compile(
    rf"(?<![0-9A-Za-z])(?:{'|'.join(Prefix)})[0-9a-f]{{{MILLISECOND_DIGITS + CHANCE_DIGITS}}}(?![0-9A-Za-z])"
)
"""An identifier as `new_id` makes them, standing by itself in a text."""


def new_id(prefix: Prefix) -> str:
    """Return a new identifier: the prefix, 11 hex digits of milliseconds, 15 random hex digits.

    Sixty random bits within one millisecond need no coordination between machines; `random` seeds itself
    anew after a fork.
    """
    milliseconds = time.time_ns() // 1_000_000
    return f"{prefix}{milliseconds:0{MILLISECOND_DIGITS}x}{random.getrandbits(4 * CHANCE_DIGITS):0{CHANCE_DIGITS}x}"


def id_of(prefix: Prefix, moment: datetime, digest: bytes) -> str:
    """Return the identifier of what this digest names, in the form of `new_id`; the same again for the same."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return f"{prefix}{milliseconds:0{MILLISECOND_DIGITS}x}{digest.hex()[:CHANCE_DIGITS]}"
