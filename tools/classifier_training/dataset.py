"""The labelled corpus: YAML files that a person of the field can extend."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from tools.classifier.normal_form import normalize
from tools.classifier.taxonomy import Flag, Level2


class CorpusError(ValueError):
    """An entry of the corpus cannot be used; the message begins with file and line."""


class Group(StrEnum):
    """Why an utterance is easy or hard."""

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
    """One labelled thing a customer said, and where it is written."""

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
    rows = tuple(row for path in sorted(directory.glob("*.yaml")) for row in _read(path))
    if not rows:
        raise CorpusError(f"{directory}: holds no utterances; expected *.yaml files in it")
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
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path.name}:1: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CorpusError(f"{path.name}:{line}: is not valid YAML: {error.problem}") from error
    if root is None:
        raise CorpusError(f"{path.name}:1: is empty; expected level2 and utterances")
    fields = _mapping(path, root)
    level2 = _level2(path, _field(path, root, fields, "level2"))
    groups = _field(path, root, fields, "utterances")
    for name, listed in _mapping(path, groups).items():
        group = _group(path, listed, name)
        if not isinstance(listed, yaml.SequenceNode):
            raise _problem(path, listed, f"{name} must be a list of utterances")
        for entry in listed.value:
            yield _utterance(path, entry, level2, group)


def _utterance(path: Path, node: yaml.Node, level2: Level2, group: Group) -> Utterance:
    text_node = node
    flags: tuple[Flag, ...] = ()
    if isinstance(node, yaml.MappingNode):
        fields = _mapping(path, node)
        unknown = sorted(set(fields) - {"text", "flags"})
        if unknown:
            raise _problem(path, node, f"unknown field {unknown[0]!r}; an entry has text and flags")
        text_node = _field(path, node, fields, "text")
        flags = _flags(path, fields["flags"]) if "flags" in fields else ()
    text = _text(path, text_node)
    return Utterance(
        text=text,
        level2=level2,
        group=group,
        flags=flags,
        source=path.name,
        line=node.start_mark.line + 1,
    )


def _text(path: Path, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
        raise _problem(path, node, "an utterance must be text; quote it if it looks like something else")
    if not node.value.strip():
        raise _problem(path, node, "an utterance must not be empty")
    return str(node.value)


def _flags(path: Path, node: yaml.Node) -> tuple[Flag, ...]:
    if not isinstance(node, yaml.SequenceNode):
        raise _problem(path, node, "flags must be a list")
    flags = []
    for entry in node.value:
        try:
            flags.append(Flag(entry.value))
        except (TypeError, ValueError):
            raise _problem(path, entry, f"unknown flag {entry.value!r}; known: {', '.join(Flag)}") from None
    return tuple(flags)


def _level2(path: Path, node: yaml.Node) -> Level2:
    try:
        return Level2(node.value)
    except (TypeError, ValueError):
        raise _problem(path, node, f"unknown level2 {node.value!r}; known: {', '.join(Level2)}") from None


def _group(path: Path, node: yaml.Node, name: str) -> Group:
    try:
        return Group(name)
    except ValueError:
        raise _problem(path, node, f"unknown group {name!r}; known: {', '.join(Group)}") from None


def _field(path: Path, node: yaml.Node, fields: dict[str, yaml.Node], name: str) -> yaml.Node:
    if name not in fields:
        raise _problem(path, node, f"lacks {name!r}")
    return fields[name]


def _mapping(path: Path, node: yaml.Node) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _problem(path, node, "expected fields (name: value) here")
    return {str(key.value): value for key, value in node.value}


def _problem(path: Path, node: yaml.Node, what: str) -> CorpusError:
    return CorpusError(f"{path.name}:{node.start_mark.line + 1}: {what}")
