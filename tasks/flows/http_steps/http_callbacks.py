"""Calls to the one-time addresses of HTTP steps: the first is kept and wakes its step, further ones change nothing."""

from engine.engine import Engine
from engine.outcomes import SignalResult
from storage.engine.steps import Steps
from storage.flows.http_requests import HttpRequests
from tasks.flows.http_steps.http import CALLED_BACK, token_hash


def call_back(engine: Engine, token: str, body: str) -> SignalResult | None:
    """Keep what was sent, JSON text, to the address with this end, and let its step go on.

    Returns:
        What it meant to the step, `LATE` for a further call; `None` when there is no such address.
    """
    with engine.transaction() as transaction:
        requests = HttpRequests(transaction.work)
        key = requests.of_token(token_hash(token))
        if key is None:
            return None
        # Before the row of its request: everybody locks them in this order.
        Steps(transaction.work).lock([key.step_id])
        if not requests.keep_callback(key, body):
            return SignalResult.LATE
        results = transaction.complete({key.step_id: CALLED_BACK})
    # A step that was removed with its run hears nothing.
    return results.get(key.step_id, SignalResult.LATE)
