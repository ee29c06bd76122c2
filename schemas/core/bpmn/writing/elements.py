"""The parts of which BPMN's elements are written: attributes that are left out, children in order, expressions."""

from collections.abc import Iterable, Mapping

from schemas.core.bpmn.model import BpmnExpression, XmlNode
from schemas.core.bpmn.xml.names import BPMN, XSI, bpmn, bpmn_name


def attributes_of(
    others: Mapping[str, str], own: str | None = None, **written: str | bool | None
) -> dict[str, str]:
    """Attributes in order: the id, those that have a value, and the others.

    Args:
        others: What else is there.
        own: The id.
        written: By name; what is none or empty is left out.
    """
    named = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in written.items()
        if value is not None
    }
    return {
        **({"id": own} if own else {}),
        **{name: value for name, value in named.items() if value},
        **others,
    }


def ordered(children: Iterable[XmlNode], ranks: Mapping[str, int]) -> tuple[XmlNode, ...]:
    """Children as the XSD has them; what it does not know comes last."""
    return tuple(sorted(children, key=lambda child: ranks.get(bpmn_name(child.tag), len(ranks))))


def described(documentation: str, extensions: tuple[XmlNode, ...]) -> list[XmlNode]:
    """The elements that say what an element is for, and what others say of it."""
    found = [XmlNode(tag=bpmn("documentation"), text=documentation)] if documentation else []
    if extensions:
        found.append(XmlNode(tag=bpmn("extensionElements"), children=extensions))
    return found


def text_node(name: str, text: str) -> XmlNode:
    """An element of BPMN that holds a text."""
    return XmlNode(tag=bpmn(name), text=text)


class ExpressionWriter:
    """Writes expressions of one file.

    Args:
        language: That of the file, which an expression of the same need not say.
        prefixes: The file's; an expression says by them that it is a formal one.
    """

    def __init__(self, language: str | None, prefixes: Mapping[str, str]) -> None:
        self._language = language
        of_bpmn = next(prefix for prefix, namespace in prefixes.items() if namespace == BPMN)
        self._type = f"{of_bpmn}:tFormalExpression" if of_bpmn else "tFormalExpression"

    def written(self, name: str, expression: BpmnExpression | None) -> list[XmlNode]:
        """The element of this name that holds an expression, if there is one."""
        if expression is None:
            return []
        language = expression.language if expression.language != self._language else None
        attributes = {f"{{{XSI}}}type": self._type, **attributes_of(expression.attributes, language=language)}
        return [XmlNode(tag=bpmn(name), attributes=attributes, text=expression.text)]
