"""Reading a file of `config/policies/`: YAML in, a validated pydantic document out, errors for people."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Document = TypeVar("Document", bound=BaseModel)


class PolicyFileError(ValueError):
    """A policy file cannot be used; the message names the file, the field, what is wrong and what it held."""


def read_policy_file(path: Path, document: type[Document]) -> Document:
    """Return the file's content as `document`.

    Raises:
        PolicyFileError: the file is missing, is not YAML, or a field does not hold what it must.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyFileError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PolicyFileError(f"{path}: is not valid YAML: {error}") from error
    try:
        return document.model_validate({} if content is None else content)
    except ValidationError as error:
        raise PolicyFileError(_explain(path, error)) from error


def _explain(path: Path, error: ValidationError) -> str:
    lines = [f"{path}: {error.error_count()} field(s) to correct:"]
    for problem in error.errors(include_url=False):
        field = ".".join(str(part) for part in problem["loc"]) or "(the whole file)"
        found = "" if problem["type"] == "missing" else f"; found {problem['input']!r:.80}"
        lines.append(f"  {field}: {problem['msg'].removeprefix('Value error, ')}{found}")
    return "\n".join(lines)
