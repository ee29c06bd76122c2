"""A body that has one of several forms, told apart before it is read, so that an error names the fields of its form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union

from pydantic import BaseModel, Discriminator, GetCoreSchemaHandler, Tag, WrapValidator
from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Alternative:
    """One form of a body."""

    name: str
    model: type[BaseModel]
    recognises: Callable[[Mapping[str, Any]], bool]
    """Whether an object is meant to have this form, valid or not."""


def one_of(alternatives: Sequence[Alternative]) -> Any:
    """The type of a body in one of these forms: the first that recognises it, else the last; two at least."""
    models = {each.name: each.model for each in alternatives}

    def form_of(value: object) -> str:
        for each in alternatives:
            if isinstance(value, each.model) or (isinstance(value, dict) and each.recognises(value)):
                return each.name
        return alternatives[-1].name

    def read(value: Any, _: Callable[[Any], Any]) -> BaseModel:
        return models[form_of(value)].model_validate(value)

    forms: Any = Union[tuple(Annotated[each.model, Tag(each.name)] for each in alternatives)]  # noqa: UP007
    return Annotated[Annotated[forms, Discriminator(form_of)], WrapValidator(read)]


@dataclass(frozen=True, slots=True)
class ReadAs:
    """Reads an annotated field as a type that is known at run time only."""

    type: Any

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of that type, in place of the annotated one's."""
        return handler.generate_schema(self.type)
