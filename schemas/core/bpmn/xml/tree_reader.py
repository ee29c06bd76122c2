"""Bytes become a tree of elements; what XML allows and no model needs is refused: document types, entities, depth."""

from dataclasses import dataclass, replace
from typing import Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from schemas.core.bpmn.model import XmlNode
from schemas.core.bpmn.problems import BpmnProblem, RejectedBpmn
from schemas.core.bpmn.xml.encoding import decoded
from schemas.core.bpmn.xml.names import free_prefix

LARGEST: Final = 5 * 1024 * 1024
"""Bytes of a file."""
DEEPEST: Final = 64
"""Elements within one another."""
MOST: Final = 100_000
"""Elements of a file: more than 5 MB of a model with its diagram have, and what a reader has the memory for."""
MOST_PREFIXES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlFile:
    """The root of a file, and the prefixes it declares."""

    root: XmlNode
    prefixes: dict[str, str]
    """Namespaces by prefix: those of the root, and one for each other that is declared further within."""


def read_tree(text: bytes) -> XmlFile:
    """The elements of an XML file.

    Raises:
        RejectedBpmn: It is empty, too large or too deep, no well-formed XML, or has a document type.
    """
    if len(text) > LARGEST:
        raise _rejected(f"the file has {len(text):,} bytes; {LARGEST:,} are the most that are read", None)
    if not text.strip(b"\0 \t\r\n"):
        raise _rejected("the file is empty", None)
    characters = decoded(text)
    builder = _Builder()
    builder.parser = DefusedXMLParser(target=builder, encoding="utf-8", forbid_dtd=True)
    try:
        builder.parser.feed(characters.encode("utf-8"))
        builder.parser.close()
    except ParseError as error:
        message = str(error).partition(": line")[0]
        raise _rejected(f"the file is no well-formed XML: {message}", error.position[0]) from None
    except DefusedXmlException:
        raise _rejected(
            "a document type (<!DOCTYPE>) and entities are not read; delete the declaration", builder.line
        ) from None
    return builder.file()


def _rejected(message: str, line: int | None) -> RejectedBpmn:
    return RejectedBpmn(BpmnProblem(message=message, line=line))


@dataclass(slots=True)
class _Open:
    """An element whose end has not been read."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[XmlNode]
    texts: list[list[str]]
    """Its text before the first child, and behind each child."""

    def closed(self) -> XmlNode:
        texts = ["".join(parts) for parts in self.texts]
        if self.children and all(not text.strip() for text in texts):
            texts = [""] * len(texts)
        children = tuple(
            replace(child, tail=tail) if tail else child
            for child, tail in zip(self.children, texts[1:], strict=True)
        )
        return XmlNode(
            tag=self.tag, attributes=self.attributes, text=texts[0], children=children, line=self.line
        )


class _Builder:
    """Receives what the parser finds."""

    parser: DefusedXMLParser

    def __init__(self) -> None:
        self._prefixes: dict[str, str] = {}
        self._open: list[_Open] = []
        self._root: XmlNode | None = None
        self._count = 0

    @property
    def line(self) -> int:
        """Where the parser is."""
        return int(self.parser.parser.CurrentLineNumber)

    def start_ns(self, prefix: str, namespace: str) -> None:
        """A prefix is declared; a default within the file is none of the file, and is given a name."""
        if not self._open:
            self._prefixes[prefix] = namespace
        elif namespace and not self._has(namespace, with_name=bool(prefix)):
            free = (
                prefix if prefix and prefix not in self._prefixes else free_prefix(namespace, self._prefixes)
            )
            self._prefixes[free] = namespace
        if len(self._prefixes) > MOST_PREFIXES:
            raise _rejected(f"the file has more than {MOST_PREFIXES} namespaces", self.line)

    def _has(self, namespace: str, *, with_name: bool) -> bool:
        return any(
            known == namespace and (prefix or not with_name) for prefix, known in self._prefixes.items()
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._count += 1
        if len(self._open) >= DEEPEST:
            raise _rejected(f"elements are more than {DEEPEST} deep within one another", self.line)
        if self._count > MOST:
            raise _rejected(f"the file has more than {MOST:,} elements", self.line)
        self._open.append(_Open(tag, attributes, self.line, [], [[]]))

    def data(self, text: str) -> None:
        """Text, or a part of it."""
        self._open[-1].texts[-1].append(text)

    def end(self, _tag: str) -> None:
        """An element ends."""
        node = self._open.pop().closed()
        if self._open:
            self._open[-1].children.append(node)
            self._open[-1].texts.append([])
        else:
            self._root = node

    def file(self) -> XmlFile:
        """What was read."""
        assert self._root is not None
        return XmlFile(root=self._root, prefixes=self._prefixes)
