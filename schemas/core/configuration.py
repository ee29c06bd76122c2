"""Reads a file of `config/`: YAML in, a validated pydantic document out, errors for people."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from schemas.core.definition.text import require_plain

Document = TypeVar("Document", bound=BaseModel)

_MERGE: Final = "tag:yaml.org,2002:merge"


class PolicyFileError(ValueError):
    """A policy file is invalid; the message names the file, the field, the problem and the value."""


class _StrictLoader(yaml.CSafeLoader):
    """Refuses a key that stands twice, and names the place of a value that is none, such as 2027-02-30."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's signature
        """The value of a node."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, OverflowError) as error:
            raise _problem(node, f"{node.value!r:.80} is no value: {error}") from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """The fields of a node."""
        seen: dict[tuple[str, str], yaml.Node] = {}
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE]
        for key in keys:
            first = seen.setdefault((key.tag, key.value), key)
            if first is not key:
                line = first.start_mark.line + 1
                raise _problem(
                    key, f"the key {key.value!r:.80} stands in line {line} already; keep one of them"
                )
        return super().construct_mapping(node, deep=deep)


def read_policy_file(path: Path, document: type[Document]) -> Document:
    """Return the file's content as `document`.

    Raises:
        PolicyFileError: the file is missing, is not YAML, or a field does not hold what it must.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise PolicyFileError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PolicyFileError(_invalid(path, error)) from error
    try:
        return document.model_validate({} if content is None else content)
    except ValidationError as error:
        raise PolicyFileError(_explain(path, error)) from error
    except OverflowError as error:
        raise PolicyFileError(f"{path}: a number is too large ({error})") from error


@contextmanager
def as_file(text: str, name: str) -> Iterator[Path]:
    """Give what somebody sent as a file of this name, for what reads files; it is gone afterwards.

    Raises:
        PolicyFileError: it would cost far more to read than its length, or its reader raised it; it names the file
            without the folder.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        try:
            require_plain(text)
            yield path
        except PolicyFileError as error:
            raise PolicyFileError(str(error).replace(str(path), name)) from error
        except yaml.YAMLError as error:
            raise PolicyFileError(_invalid(name, error)) from error


def _invalid(file: object, error: yaml.YAMLError | UnicodeDecodeError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"{file}: is not valid YAML: {error}"
    mark = error.problem_mark
    place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
    return f"{file}{place}: is not valid YAML: {error.problem}"


def _problem(node: yaml.Node, what: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


def _explain(path: Path, error: ValidationError) -> str:
    lines = [f"{path}: {error.error_count()} field(s) to correct:"]
    for problem in error.errors(include_url=False):
        field = ".".join(str(part) for part in problem["loc"]) or "(the whole file)"
        found = "" if problem["type"] == "missing" else f"; found {problem['input']!r:.80}"
        lines.append(f"  {field}: {problem['msg'].removeprefix('Value error, ')}{found}")
    return "\n".join(lines)
