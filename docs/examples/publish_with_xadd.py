#!/usr/bin/env python3
"""Publishes an order as an entry of the Redis Stream: `BROKER_URL=redis://… python publish_with_xadd.py order.json`."""

import os
import sys
from pathlib import Path

import redis


def publish(url: str, payload: str, request_id: str) -> None:
    """Publish one order as the JSON text it is; when this returns, the broker has it."""
    with redis.Redis.from_url(url) as broker:
        broker.xadd("task.created", {"payload": payload, "request_id": request_id})


if __name__ == "__main__":
    publish(os.environ["BROKER_URL"], Path(sys.argv[1]).read_text(encoding="utf-8"), request_id="upstream-1")
