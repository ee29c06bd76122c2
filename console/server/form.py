"""What was typed into a form, and what is wrong with it: shown again as it was typed, each fault beside its field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

LARGEST_FORM: Final = 262_144
"""Bytes that a form may have."""
MOST_FIELDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with a field: the key of its words, and what goes into them."""

    key: str
    given: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, as a person left them."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    faults: Mapping[str, FieldFault] = field(default_factory=dict)
    """By the name of the field."""

    @classmethod
    def parse(cls, body: bytes) -> "Form":
        """The form in a body of `application/x-www-form-urlencoded`.

        Raises:
            ValueError: it is none, or has too many fields.
        """
        found: dict[str, list[str]] = {}
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        return cls(MappingProxyType({name: tuple(values) for name, values in found.items()}))

    def __getitem__(self, name: str) -> str:
        """What stands in a field, without the blanks around it; empty where there is no such field."""
        values = self.fields.get(name, ())
        return values[-1].strip() if values else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Everything chosen in a field of several choices."""
        return self.fields.get(name, ())

    def with_faults(self, **faults: FieldFault | str | None) -> "Form":
        """The same form, with what is wrong with these fields; a text is the key of a fault's words."""
        found = {
            name: FieldFault(fault) if isinstance(fault, str) else fault
            for name, fault in faults.items()
            if fault is not None
        }
        return Form(self.fields, {**self.faults, **found})

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(self.fields)


EMPTY: Final = Form()
"""A form that nobody has filled in yet."""
