"""Faults of a provider, by script or set for later requests."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tools.channels.simulated.simulation import ScriptError


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults of one contact; none by default.

    Attributes:
        accept_then_drop: The contact is made, and the connection closed without an answer.
        slow_seconds: The answer comes so much later than the contact is committed.
        status: The first requests of the key are refused with it, and nothing is sent.
        status_times: How many are.
        retry_after_seconds: The Retry-After header of those.
        duplicate_callbacks: How often the callback is repeated after it was received.
        callback_before_response: The result is called back before the request is answered.
        late_seconds: The callback comes so much later than what it reports.
        bad_signature: The callback's signature does not fit.
        no_callback: There is no callback; a query still finds the result.
    """

    accept_then_drop: bool = False
    slow_seconds: float = 0.0
    status: int | None = None
    status_times: int = 0
    retry_after_seconds: int = 1
    duplicate_callbacks: int = 0
    callback_before_response: bool = False
    late_seconds: float = 0.0
    bad_signature: bool = False
    no_callback: bool = False

    def record(self) -> dict[str, object]:
        """Return the values that differ from the default, for storage; `Faults(**record)` restores it."""
        if self == NONE:
            return {}
        return {name: value for name, value in asdict(self).items() if value != getattr(NONE, name)}

    def joined(self, other: "Faults") -> "Faults":
        """Combine both; where both set a value, the other's is used."""
        if other == NONE:
            return self
        return replace(self, **other.record())  # type: ignore[arg-type]  # record holds this class's own fields


NONE: Final = Faults()


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["accept_then_drop", "callback_before_response", "bad_signature", "no_callback"]


class _Lasting(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["slow", "late_callback"]
    seconds: float = Field(default=2.0, ge=0, le=3600)


class _Refusing(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["status"]
    status: Literal[429, 500, 503] = 503
    times: int = Field(default=1, ge=1, le=1000)
    retry_after: int = Field(default=1, ge=0, le=3600)


class _Repeating(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["duplicate_callback"]
    times: int = Field(default=1, ge=1, le=100)


_Written = Annotated[_Named | _Lasting | _Refusing | _Repeating, Field(discriminator="kind")]
_WRITTEN: Final[TypeAdapter[_Written]] = TypeAdapter(_Written)


def parse_faults(written: object) -> Faults:
    """Parse the faults of a script or of a test's request.

    Args:
        written: None, a kind, a list of faults, or an object with `kind` and, where they apply, `seconds`,
            `status`, `times`, `retry_after`.

    Raises:
        ScriptError: A kind is unknown or a value out of range.
    """
    if written is None:
        return NONE
    faults = NONE
    for one in written if isinstance(written, list) else [written]:
        faults = faults.joined(_parse_one(one))
    return faults


def _parse_one(written: object) -> Faults:
    try:
        fault = _WRITTEN.validate_python({"kind": written} if isinstance(written, str) else written)
    except ValidationError as error:
        raise ScriptError("fault", error.errors(include_url=False)[0]["msg"]) from None
    match fault:
        case _Lasting(kind="slow"):
            return Faults(slow_seconds=fault.seconds)
        case _Lasting():
            return Faults(late_seconds=fault.seconds)
        case _Refusing():
            return Faults(
                status=fault.status, status_times=fault.times, retry_after_seconds=fault.retry_after
            )
        case _Repeating():
            return Faults(duplicate_callbacks=fault.times)
        case _Named():
            return Faults(**{fault.kind: True})


class ArmedFault(BaseModel):
    """Faults for later requests that match everything given: for `requests` of them, or for all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: object
    key: str | None = None
    task_id: str | None = None
    channel: Literal["phone", "sms", "im"] | None = None
    requests: int | None = Field(default=None, ge=1)

    def fits(self, names: Mapping[str, str]) -> bool:
        """Whether it applies to a request with this key, task_id and channel."""
        wanted = {"key": self.key, "task_id": self.task_id, "channel": self.channel}
        return all(value is None or names[name] == value for name, value in wanted.items())


class FaultBoard:
    """The faults set by `POST /v1/faults`. In memory: a restart removes them."""

    def __init__(self) -> None:
        self._armed: list[tuple[ArmedFault, Faults, int | None]] = []

    def arm(self, armed: ArmedFault) -> None:
        """Add a fault.

        Raises:
            ScriptError: Its fault cannot be read.
        """
        self._armed.append((armed, parse_faults(armed.fault), armed.requests))

    def disarm(self) -> int:
        """Remove all faults and return their number."""
        count = len(self._armed)
        self._armed.clear()
        return count

    def take(self, names: Mapping[str, str]) -> Faults:
        """Return the faults that apply to this request, and count it for each."""
        faults = NONE
        kept: list[tuple[ArmedFault, Faults, int | None]] = []
        for armed, effect, left in self._armed:
            if not armed.fits(names):
                kept.append((armed, effect, left))
                continue
            faults = faults.joined(effect)
            if left is None or left > 1:
                kept.append((armed, effect, None if left is None else left - 1))
        self._armed = kept
        return faults
