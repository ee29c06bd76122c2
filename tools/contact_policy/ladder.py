"""Chooses the channel of an attempt."""

from collections.abc import Collection, Sequence
from typing import Final

from schemas.orders.contact import Channel, ContactResult
from tools.contact_policy.policy import STANDARD, ContactPolicy

VOICE: Final = frozenset({Channel.PHONE})


def channel_for(
    attempt: int,
    outcomes_so_far: Sequence[ContactResult] = (),
    *,
    policy: ContactPolicy = STANDARD,
    barred: Collection[Channel] = (),
) -> Channel | None:
    """Return the channel of the attempt, or None when no channel is left for it.

    Once a call ended in one of the policy's `voice_ends_after` results, an attempt that the policy gives to
    voice takes the next channel on the ladder that is not voice; the last rungs fall back to the one before
    them.

    Args:
        attempt: Number of the attempt in its round, from 1; beyond the ladder its last channel holds.
        outcomes_so_far: Results of the earlier attempts, of earlier rounds too.
        policy: The contact policy.
        barred: Channels that must not be used, such as those the do-not-call list bars for the number.

    Raises:
        ValueError: `attempt` is below 1.
    """
    if attempt < 1:
        raise ValueError(f"attempts count from 1, not from {attempt}")
    unusable = set(barred)
    if not policy.voice_ends_after.isdisjoint(outcomes_so_far):
        unusable |= VOICE
    rung = min(attempt, len(policy.channels)) - 1
    onwards = policy.channels[rung:]
    backwards = policy.channels[:rung][::-1]
    return next((channel for channel in (*onwards, *backwards) if channel not in unusable), None)
