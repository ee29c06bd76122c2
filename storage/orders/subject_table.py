"""The table of orders, as lists of runs join it."""

from typing import Final

from storage.engine.subjects import SubjectTable

ORDERS: Final = SubjectTable(
    product="orders",
    table="tasks",
    subject_id="task_id",
    run_id="run_id",
    order_id="order_id",
    state="status",
    attempt="contact_count",
)
