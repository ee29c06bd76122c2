"""The declaration of personal fields: which names of an order's metadata hold what a customer is known by."""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from runtime.personal import LONGEST_NAME, PersonalFields, plain_name
from schemas.core.configuration import read_policy_file

READ_IN_CLEAR: Final = frozenset(
    {"customer_id", "engineer_id", "pending_reason", "phone", "region", "script_id", "simulation", "timezone"}
)
"""Fields that the fleet works with; it looks orders up by `customer_id`, and treats `phone` as what it is."""

_PLAIN_READ: Final = {plain_name(name): name for name in READ_IN_CLEAR}


def _declarable(name: str) -> str:
    plain = plain_name(name)
    if not plain:
        raise ValueError("has no letter by which a field could be known")
    if plain in _PLAIN_READ:
        raise ValueError(
            f"means {_PLAIN_READ[plain]}, which the fleet works with and must read; it cannot be declared personal"
        )
    return name


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_declarable)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[Name, ...] = ()
    others: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        seen: dict[str, str] = {}
        for name in (*self.names, *self.others):
            plain = plain_name(name)
            if plain in seen:
                raise ValueError(f"{name!r} is the same name as {seen[plain]!r}; keep one of them")
            seen[plain] = name
        return self


def load_personal(path: Path) -> PersonalFields:
    """Read `config/policies/personal.yaml`.

    Raises:
        PolicyFileError: the file cannot be used; the message says where and why.
    """
    document = read_policy_file(path, _Document)
    return PersonalFields.of(document.names, document.others)
