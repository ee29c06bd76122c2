#!/usr/bin/env python3
"""Does the steps of order_processing_v1.json: `WORK=./order_work.py ./agent.py`; reads a step, prints its output."""

import json
import sys

step = json.load(sys.stdin)
done = {
    "validate_order": {"valid": True, "checked": step["parameters"].get("rules", [])},
    "check_inventory": {"available": True},
    "process_payment": {"paid": True, "reference": step["idempotency_key"]},
    "fulfill_order": {"shipped": step["parameters"].get("shipping_method")},
    "send_notification": {"sent": step["parameters"].get("channels", [])},
}
json.dump(done[step["node"]], sys.stdout)
