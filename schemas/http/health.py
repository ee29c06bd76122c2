"""What the health routes answer."""

from typing import Literal

from schemas.http.form import Answered

Condition = Literal["ok", "unavailable"]


class Parts(Answered):
    """The servers the API needs."""

    database: Condition
    broker: Condition


class Health(Answered):
    """How the API and what it needs are doing."""

    status: Literal["ok", "degraded"]
    version: str
    parts: Parts


class Alive(Answered):
    """The process answers."""

    status: Literal["ok"] = "ok"
