"""What the actions of the queue `general` take, as JSON Schemas."""

from collections.abc import Mapping
from typing import Final

LONGEST_SECONDS: Final = 60
"""How long an HTTP request may take, its redirects included."""
CALLBACK_SECONDS: Final = 86_400
"""How long a step waits to be called back that does not say it."""

_SCALAR: Final = {"type": ["string", "number", "boolean"]}

HTTP: Final[Mapping[str, object]] = {
    "type": "object",
    "required": ["request"],
    "properties": {
        "request": {
            "type": "object",
            "required": ["url"],
            "properties": {
                "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], "default": "GET"},
                "url": {"type": "string"},
                "headers": {
                    "type": "object",
                    "maxProperties": 50,
                    "additionalProperties": {"type": "string"},
                },
                "query": {
                    "type": "object",
                    "maxProperties": 50,
                    "additionalProperties": {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]},
                },
                "body": {"description": "JSON, or a text."},
                "ok": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "anyOf": [
                            {"type": "integer", "minimum": 200, "maximum": 599},
                            {"enum": ["2xx", "3xx", "4xx", "5xx"]},
                        ]
                    },
                    "default": ["2xx"],
                },
                "seconds": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "maximum": LONGEST_SECONDS,
                    "default": 10,
                },
            },
            "additionalProperties": False,
        },
        "idempotent": {"type": "boolean", "default": False},
        "callback": {"type": "boolean", "default": False},
        "deadline_seconds": {
            "type": "integer",
            "minimum": 1,
            "maximum": 30 * 86_400,
            "default": CALLBACK_SECONDS,
        },
    },
    "additionalProperties": False,
}
"""What `general.http` takes."""

REPORT: Final[Mapping[str, object]] = {
    "type": "object",
    "required": ["title"],
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 200},
        "text": {"type": "string"},
        "columns": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "array"}},
    },
    "anyOf": [{"required": ["text"]}, {"required": ["columns", "rows"]}],
    "additionalProperties": False,
}
"""What `general.report` takes: a text, a table, or both."""
