"""Labelled utterances: the corpus for training, and separate sets for evaluation."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

from tools.classifier.normal_form import normalize
from tools.classifier.taxonomy import Flag, Level2

_COLUMNS: Final = ("text", "level2", "group", "flags")
_NEEDED: Final = _COLUMNS[:2]


class CorpusError(ValueError):
    """An entry of the corpus is invalid; the message begins with file and line."""


class Group(StrEnum):
    """The difficulty of an utterance."""

    PLAIN = "plain"
    NEGATION = "negation"
    CONTRAST = "contrast"
    CONDITIONAL = "conditional"
    ASR = "asr"
    DIALECT = "dialect"
    INJECTION = "injection"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A labelled utterance of a customer, with its file and line."""

    text: str
    level2: Level2
    group: Group = Group.PLAIN
    flags: tuple[Flag, ...] = ()
    source: str = ""
    line: int = 0


def load_corpus(directory: Path) -> tuple[Utterance, ...]:
    """Read every `*.yaml` below `directory`, in order of file name and line.

    A file names its `level2` and lists `utterances` by group; an entry is the text, or a mapping
    `{text, flags}`.

    Raises:
        CorpusError: a file or an entry is bad, or the same text (in normal form) occurs twice.
    """
    return _each_once(directory, (row for path in sorted(directory.glob("*.yaml")) for row in _read(path)))


def load_labelled(path: Path) -> tuple[Utterance, ...]:
    """Read a file of labelled utterances, or every one in a folder, in order of file name and line.

    A YAML file has the form of the corpus, or is a list of rows; a CSV file has a line of column names and a row
    in each further line. A row has `text`, `level2`, and where wanted `group` and `flags` (in CSV with spaces
    between them).

    Raises:
        CorpusError: there is nothing, a file or a row is bad, or the same text occurs twice.
    """
    if path.is_dir():
        found = [each for each in sorted(path.iterdir()) if each.suffix in (".yaml", ".yml", ".csv")]
    elif path.suffix in (".yaml", ".yml", ".csv"):
        found = [path]
    else:
        raise CorpusError(f"{path}: is no folder and no .yaml or .csv file of labelled utterances")
    return _each_once(
        path, (row for each in found for row in (_read_csv if each.suffix == ".csv" else _read)(each))
    )


def _each_once(place: Path, read: Iterable[Utterance]) -> tuple[Utterance, ...]:
    rows = tuple(read)
    if not rows:
        raise CorpusError(f"{place}: holds no utterances; docs/triage.md says how they are written")
    seen: dict[str, Utterance] = {}
    for row in rows:
        first = seen.setdefault(normalize(row.text) or row.text, row)
        if first is not row:
            raise CorpusError(
                f"{row.source}:{row.line}: {row.text!r} stands already in {first.source}:{first.line} "
                f"as {first.level2}; remove one of them"
            )
    return rows


def _read(path: Path) -> Iterator[Utterance]:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path.name}:1: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CorpusError(f"{path.name}:{line}: is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise CorpusError(f"{path.name}:1: is not valid YAML: {message}") from error
    if root is None:
        raise CorpusError(f"{path.name}:1: is empty; expected level2 and utterances")
    if isinstance(root, yaml.SequenceNode):
        yield from (_listed(path, entry) for entry in root.value)
        return
    fields = _mapping(path, root)
    level2 = _level2(_place(path, root), _field(_place(path, root), fields, "level2").value)
    groups = _field(_place(path, root), fields, "utterances")
    for name, listed in _mapping(path, groups).items():
        group = _group(_place(path, listed), name)
        if not isinstance(listed, yaml.SequenceNode):
            raise CorpusError(f"{_place(path, listed)}: {name} must be a list of utterances")
        for entry in listed.value:
            yield _utterance(path, entry, level2, group)


def _unreadable(path: Path, error: OSError) -> CorpusError:
    return CorpusError(f"{path}: cannot be read ({error.strerror}); check the path")


def _read_csv(path: Path) -> Iterator[Utterance]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = reader.fieldnames or ()
            _require_columns(f"{path.name}:1", columns)
            for row in reader:
                place = f"{path.name}:{reader.line_num}"
                if None in row or None in row.values():
                    raise CorpusError(f"{place}: must have {len(columns)} values, one for each column")
                yield _row(place, path.name, reader.line_num, row)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path.name}:1: cannot be read: {error}") from error


def _require_columns(place: str, columns: Sequence[str]) -> None:
    if not set(_NEEDED) <= set(columns) <= set(_COLUMNS) or len(set(columns)) != len(columns):
        raise CorpusError(
            f"{place}: the first line must name the columns text and level2, where wanted group and flags, "
            f"and no others; found {', '.join(columns) or 'nothing'}"
        )


def _row(place: str, source: str, line: int, row: Mapping[str, str]) -> Utterance:
    return Utterance(
        text=_not_empty(place, row["text"]),
        level2=_level2(place, row["level2"]),
        group=_group(place, row.get("group") or Group.PLAIN.value),
        flags=tuple(_flag(place, name) for name in (row.get("flags") or "").split()),
        source=source,
        line=line,
    )


def _listed(path: Path, node: yaml.Node) -> Utterance:
    """A row of a YAML file that names its own intent and group."""
    place, fields = _place(path, node), _mapping(path, node)
    _refuse_unknown(place, fields, _COLUMNS)
    level2 = _level2(place, _field(place, fields, "level2").value)
    group = _group(place, fields["group"].value) if "group" in fields else Group.PLAIN
    given: dict[str, yaml.Node] = {name: fields[name] for name in ("text", "flags") if name in fields}
    return _made(path, node, given, level2, group)


def _utterance(path: Path, node: yaml.Node, level2: Level2, group: Group) -> Utterance:
    if not isinstance(node, yaml.MappingNode):
        return _made(path, node, {"text": node}, level2, group)
    fields = _mapping(path, node)
    _refuse_unknown(_place(path, node), fields, ("text", "flags"))
    return _made(path, node, fields, level2, group)


def _made(
    path: Path, node: yaml.Node, fields: Mapping[str, yaml.Node], level2: Level2, group: Group
) -> Utterance:
    return Utterance(
        text=_text(path, _field(_place(path, node), fields, "text")),
        level2=level2,
        group=group,
        flags=_flags(path, fields["flags"]) if "flags" in fields else (),
        source=path.name,
        line=node.start_mark.line + 1,
    )


def _text(path: Path, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
        raise CorpusError(
            f"{_place(path, node)}: an utterance must be text; quote it if it looks like something else"
        )
    return _not_empty(_place(path, node), str(node.value))


def _not_empty(place: str, text: str) -> str:
    if not text.strip():
        raise CorpusError(f"{place}: an utterance must not be empty")
    return text


def _flags(path: Path, node: yaml.Node) -> tuple[Flag, ...]:
    if not isinstance(node, yaml.SequenceNode):
        raise CorpusError(f"{_place(path, node)}: flags must be a list")
    return tuple(_flag(_place(path, entry), entry.value) for entry in node.value)


def _flag(place: str, value: Any) -> Flag:
    try:
        return Flag(value)
    except (TypeError, ValueError):
        raise CorpusError(f"{place}: unknown flag {value!r:.80}; known: {', '.join(Flag)}") from None


def _level2(place: str, value: Any) -> Level2:
    try:
        return Level2(value)
    except (TypeError, ValueError):
        raise CorpusError(f"{place}: unknown level2 {value!r:.80}; known: {', '.join(Level2)}") from None


def _group(place: str, value: Any) -> Group:
    try:
        return Group(value)
    except (TypeError, ValueError):
        raise CorpusError(f"{place}: unknown group {value!r:.80}; known: {', '.join(Group)}") from None


def _field(place: str, fields: Mapping[str, yaml.Node], name: str) -> yaml.Node:
    if name not in fields:
        raise CorpusError(f"{place}: lacks {name!r}")
    return fields[name]


def _refuse_unknown(place: str, fields: Mapping[str, yaml.Node], known: Sequence[str]) -> None:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise CorpusError(f"{place}: unknown field {unknown[0]!r:.80}; an entry has {', '.join(known)}")


def _mapping(path: Path, node: yaml.Node) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise CorpusError(f"{_place(path, node)}: expected fields (name: value) here")
    fields: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if fields.setdefault(str(key.value), value) is not value:
            raise CorpusError(f"{_place(path, key)}: {str(key.value)!r:.80} stands here twice; keep one")
    return fields


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path.name}:{node.start_mark.line + 1}"
