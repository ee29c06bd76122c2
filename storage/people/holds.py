"""Held decisions: what a person decided, kept until it is applied, undone or refused; one a question at a time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text

from runtime.cipher import Sealed
from runtime.ids import Prefix, new_id
from runtime.principal import marks_of_principal
from schemas.people.holds import HoldState
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository
from storage.people.answers import Respondent

_FIELDS: Final = (
    "hold_id, review_id, key, state, decision, by, roles, has_login, key_id, label, payload, seen, made_at, "
    "held_until, ended_at, refusal"
)
_HOLD = text(
    f"""
    INSERT INTO held_decisions (hold_id, review_id, key, decision, by, roles, has_login, key_id, label, payload,
        seen, held_until)
    VALUES (:hold_id, :review_id, :key, :decision, :by, CAST(:roles AS jsonb), :has_login, :key_id, :label, :payload,
        :seen, clock_timestamp() + make_interval(secs => :seconds))
    RETURNING {_FIELDS}
    """
)
_UNDER_KEY = text(f"SELECT {_FIELDS} FROM held_decisions WHERE review_id = :review_id AND key = :key")
_IN_FORCE = text(f"SELECT {_FIELDS} FROM held_decisions WHERE review_id = :review_id AND state = 'held'")
_LAST = text(
    f"SELECT {_FIELDS} FROM held_decisions WHERE review_id = :review_id ORDER BY made_at DESC, hold_id DESC LIMIT 1"
)
_OF_PERSON = text(
    f"SELECT {_FIELDS}, extract(epoch FROM held_until - clock_timestamp()) AS seconds_left FROM held_decisions "
    "WHERE state = 'held' AND by = :by ORDER BY made_at DESC LIMIT :limit"
)
_DUE = text(
    "SELECT review_id FROM held_decisions WHERE state = 'held' AND held_until <= clock_timestamp() "
    "ORDER BY held_until LIMIT :limit"
)
_IS_DUE = text("SELECT held_until <= clock_timestamp() FROM held_decisions WHERE hold_id = :hold_id")
_END = text(
    "UPDATE held_decisions SET state = :state, ended_at = clock_timestamp(), refusal = :refusal, payload = '' "
    f"WHERE hold_id = :hold_id AND state = 'held' RETURNING {_FIELDS}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """A decision that is to be held."""

    review_id: str
    key: str
    by: Respondent
    decision: str
    payload: Mapping[str, Any]
    seen: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDecision:
    """A held decision, as it stands."""

    hold_id: str
    review_id: str
    key: str
    state: HoldState
    decision: str
    by: str
    respondent: Respondent
    """Who decided, as what they were then."""
    key_id: str | None
    """On whose behalf, for the lines of history."""
    label: str | None
    sealed_payload: Sealed
    seen: int
    made_at: datetime
    held_until: datetime
    ended_at: datetime | None
    refusal: str | None

    @property
    def is_in_force(self) -> bool:
        """Whether it waits to be applied."""
        return self.state is HoldState.HELD

    @property
    def payload(self) -> dict[str, Any]:
        """The answer; only while it is held.

        Raises:
            UnreadableCiphertext: it is gone, or was encrypted with another key.
        """
        answer: dict[str, Any] = json.loads(self.sealed_payload.open())
        return answer


@dataclass(frozen=True, slots=True)
class HeldDecisions(Repository):
    """The only code that writes `held_decisions`; who calls it holds the lock of the review."""

    def hold(self, new: NewHold) -> HeldDecision:
        """Hold a decision from now on, on the database's clock."""
        hold_id, (key_id, label) = new_id(Prefix.HOLD), marks_of_principal()
        given = {
            "hold_id": hold_id,
            "review_id": new.review_id,
            "key": new.key,
            "decision": new.decision,
            "by": new.by.name,
            "roles": dump_json(sorted(new.by.roles)),
            "has_login": new.by.has_login,
            "key_id": key_id,
            "label": label,
            "payload": self.cipher.encrypt(dump_json(new.payload), _place(hold_id)),
            "seen": new.seen,
            "seconds": new.seconds,
        }
        return self._held(self.connection.execute(_HOLD, given).one())

    def under_key(self, review_id: str, key: str) -> HeldDecision | None:
        """The hold of this review that was asked for under this key."""
        return self._one(self.connection.execute(_UNDER_KEY, {"review_id": review_id, "key": key}).first())

    def in_force(self, review_id: str) -> HeldDecision | None:
        """The decision of this review that is held now."""
        return self._one(self.connection.execute(_IN_FORCE, {"review_id": review_id}).first())

    def last(self, review_id: str) -> HeldDecision | None:
        """The decision of this review that was held last, whatever became of it."""
        return self._one(self.connection.execute(_LAST, {"review_id": review_id}).first())

    def of_person(self, by: str, limit: int) -> list[tuple[HeldDecision, float]]:
        """What this person has decided and is held now, the newest first, each with the seconds it is held yet."""
        rows = self.connection.execute(_OF_PERSON, {"by": by, "limit": limit}).all()
        return [(self._held(row), max(0.0, float(row.seconds_left))) for row in rows]

    def due(self, limit: int) -> Sequence[str]:
        """The reviews with a hold whose time has come, the longest due first."""
        return self.connection.execute(_DUE, {"limit": limit}).scalars().all()

    def is_due(self, hold_id: str) -> bool:
        """Whether the time of this hold has come."""
        return bool(self.connection.execute(_IS_DUE, {"hold_id": hold_id}).scalar_one())

    def end(self, hold_id: str, state: HoldState, *, refusal: str | None = None) -> HeldDecision:
        """Write what became of a hold in force; its answer is kept no longer."""
        given = {"hold_id": hold_id, "state": state.value, "refusal": refusal}
        return self._held(self.connection.execute(_END, given).one())

    def _one(self, row: Row[Any] | None) -> HeldDecision | None:
        return None if row is None else self._held(row)

    def _held(self, row: Row[Any]) -> HeldDecision:
        columns = {name: value for name, value in row._mapping.items() if name != "seconds_left"}
        respondent = Respondent(
            name=row.by, roles=frozenset(columns.pop("roles")), has_login=columns.pop("has_login")
        )
        payload = Sealed(bytes(columns.pop("payload")), _place(row.hold_id), self.cipher)
        state = HoldState(columns.pop("state"))
        return HeldDecision(**columns, state=state, respondent=respondent, sealed_payload=payload)


def _place(hold_id: str) -> str:
    """What the answer of a hold is bound to."""
    return f"held_decisions.payload.{hold_id}"
