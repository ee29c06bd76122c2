"""What a piece of work takes, as a JSON Schema (draft 2020-12): checked when it is declared, then held against inputs.

A refusal names the field and the rule, never the value: it may be a phone number.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from runtime.linear_pattern import NotLinear, linear_pattern
from schemas.core.problems import Problem

_KEPT: Final = 256
"""Schemas whose validators a process keeps."""

SAID: Final[Mapping[str, str]] = {
    "type": "must be of type {}",
    "enum": "must be one of {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be greater than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "pattern": "must match the pattern {}",
    "format": "must be in the format {}",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minProperties": "must have at least {} fields",
    "maxProperties": "must have at most {} fields",
    "uniqueItems": "must not hold an item twice",
    "anyOf": "has none of the forms it may have",
    "oneOf": "must have exactly one of the forms it may have",
}
"""What is said of a value that breaks a rule of a schema, by the rule; `{}` is what the rule demands."""


class MalformedSchema(ValueError):
    """What a piece of work says it takes cannot be read; the message says where."""


def require_schema(schema: Mapping[str, object]) -> None:
    """Accept this as the description of parameters, which are always a JSON object.

    Raises:
        MalformedSchema: it is no JSON Schema, describes something else, refers to what is not in it, or holds a
            pattern whose time nobody can foresee.
    """
    if schema.get("type", "object") != "object":
        raise MalformedSchema("parameters: describe an object; 'type' must be 'object'")
    try:
        orjson.dumps(dict(schema))
    except TypeError as error:
        raise MalformedSchema(f"parameters: hold what JSON does not have ({error})") from error
    try:
        Draft202012Validator.check_schema(schema, format_checker=_formats())
    except SchemaError as error:
        place = ".".join(("parameters", *(str(part) for part in error.path)))
        raise MalformedSchema(f"{place}: {error.cause or error.message}") from error
    keywords = set(_keywords(schema))
    if {"patternProperties", "unevaluatedProperties"} <= keywords:
        raise MalformedSchema(
            "parameters: patternProperties and unevaluatedProperties cannot be used together"
        )
    resolver = Registry[Any]().resolver_with_root(DRAFT202012.create_resource(dict(schema)))
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            raise MalformedSchema(
                f"parameters: $ref '{reference}' leads nowhere; it may only lead into this schema"
            ) from error


def problems_with(
    parameters: Mapping[str, Any],
    schema: Mapping[str, object],
    field: str = "parameters",
    kind: str = "parameter of this task type",
) -> list[Problem]:
    """Everything about these parameters that the schema does not allow; `field` is what they are called.

    `kind` is what each of them is.
    """
    if not schema:
        return []
    try:
        found = sorted(
            _validator(orjson.dumps(dict(schema))).iter_errors(parameters), key=lambda e: e.json_path
        )
    except RecursionError:
        return [Problem(field=field, message="is nested too deeply to be checked")]
    return [problem for error in found for problem in _told(error, field, kind)]


@lru_cache(maxsize=_KEPT)
def _validator(schema: bytes) -> Validator:
    # An empty registry: a schema that names an address elsewhere must not make a process fetch it.
    return _linear_validator()(orjson.loads(schema), registry=Registry(), format_checker=_formats())


@lru_cache(maxsize=1)
def _linear_validator() -> type[Validator]:
    """A validator whose patterns take time in proportion to the text."""
    own = {"pattern": _pattern, "patternProperties": _named_fields, "additionalProperties": _further_fields}
    made: type[Validator] = extend(Draft202012Validator, own)  # type: ignore[no-untyped-call]
    return made


@lru_cache(maxsize=1)
def _formats() -> FormatChecker:
    formats = FormatChecker(())
    formats.checkers.update(Draft202012Validator.FORMAT_CHECKER.checkers)
    formats.checks("regex", raises=NotLinear)(_is_linear)
    return formats


def _is_linear(value: object) -> bool:
    return not isinstance(value, str) or linear_pattern(value) is not None


def _pattern(_: Any, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    if isinstance(value, str) and not linear_pattern(pattern).found_in(value):
        yield ValidationError("does not match the pattern")


def _named_fields(
    validator: Any, patterns: Mapping[str, Any], value: object, _: object
) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for pattern, schema in patterns.items():
            for name in _matching(value, [pattern]):
                yield from validator.descend(value[name], schema, path=name, schema_path=pattern)


def _further_fields(
    validator: Any, further: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    for name in _unknown(value, schema) if isinstance(value, dict) else ():
        if further is False:
            yield ValidationError("has a field more than it may have")
            return
        yield from validator.descend(value[name], further, path=name)


def _told(error: ValidationError, field: str, kind: str) -> Iterator[Problem]:
    place = ".".join((field, *(str(part) for part in error.absolute_path)))
    rule = str(error.validator)
    if rule == "required":
        required: list[str] = list(error.schema["required"]) if isinstance(error.schema, Mapping) else []
        # One error for each name that is missing; only its message tells which.
        for name in required:
            if error.message.startswith(repr(name)):
                yield Problem(field=f"{place}.{name}", message="is required")
    elif rule in ("additionalProperties", "unevaluatedProperties") and isinstance(error.instance, Mapping):
        for name in _unknown(error.instance, error.schema):
            yield Problem(field=f"{place}.{_legible(name)}", message=f"is not a {kind}")
    else:
        said = SAID.get(rule, f"does not keep the rule '{rule}'")
        yield Problem(field=place, message=said.format(_shown(error.validator_value)))


def _unknown(given: Mapping[str, object], schema: Any) -> list[str]:
    """The fields that the schema names neither by their names nor by a pattern."""
    known = {*schema.get("properties", {}), *_matching(given, schema.get("patternProperties", ()))}
    return sorted(name for name in given if name not in known)


def _matching(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    return [name for name in names if any(linear_pattern(each).found_in(name) for each in patterns)]


def _shown(rule: Any) -> str:
    if isinstance(rule, list):
        return ", ".join(str(each) for each in rule)
    return str(rule)


def _legible(name: str) -> str:
    return "".join(character for character in name if character.isprintable())[:64]


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(schema, (list, tuple)):
        for value in schema:
            yield from _references(value)


def _keywords(schema: object) -> Iterator[str]:
    """Every name in a schema, at any depth."""
    if isinstance(schema, Mapping):
        yield from (str(name) for name in schema)
        schema = schema.values()
    elif not isinstance(schema, (list, tuple)):
        return
    for value in schema:
        yield from _keywords(value)
