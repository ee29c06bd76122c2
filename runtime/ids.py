"""Identifiers: a prefix that says what it is, and a unique part that sorts by time. At most 32 characters."""

import random
import time
from enum import StrEnum


class Prefix(StrEnum):
    """What an identifier names (SPEC.md §6)."""

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
    SUBSCRIBER = "sub_"
    DELIVERY = "msg_"
    SIGNAL = "sig_"
    LABEL = "LAB"
    STOP = "stop_"
    DO_NOT_CALL = "dnc_"


def new_id(prefix: Prefix) -> str:
    """A new identifier: the prefix, 11 hex digits of milliseconds, 15 of chance.

    Sixty random bits within one millisecond need no coordination between machines; `random` seeds itself
    anew after a fork.
    """
    milliseconds = time.time_ns() // 1_000_000
    return f"{prefix}{milliseconds:011x}{random.getrandbits(60):015x}"
