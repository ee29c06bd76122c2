#!/usr/bin/env python3
"""Publishes an order with kombu: `QUEUE_URL=amqp://… python publish_with_kombu.py order.json`.

QUEUE_URL is where unpend reads its queue: RabbitMQ (`amqp://…`), or the broker itself (`redis://…`).
"""

import json
import os
import sys
from pathlib import Path

from kombu import Connection, Exchange, Queue

TASKS = Exchange("tasks", type="direct", durable=True)
# Declared by the producer too, so that what is published before unpend first runs waits and is not dropped.
TASK_CREATED = Queue("unpend.task.created", exchange=TASKS, routing_key="task.created", durable=True)


def publish(url: str, order: dict[str, object], request_id: str) -> None:
    """Publish one order; when this returns, the broker has it."""
    # RabbitMQ confirms every message; a message that cannot be kept raises. Other transports have no such option.
    options = {"confirm_publish": True} if url.startswith("amqp") else {}
    with Connection(url, transport_options=options) as connection:
        connection.Producer(serializer="json").publish(
            order,
            exchange=TASKS,
            routing_key="task.created",
            declare=[TASK_CREATED],
            delivery_mode="persistent",
            correlation_id=request_id,
            retry=True,
            retry_policy={"max_retries": 5, "interval_start": 0.2, "interval_step": 0.5},
        )


if __name__ == "__main__":
    read = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    publish(os.environ["QUEUE_URL"], read, request_id=f"upstream-{read['task_id']}")
