"""Texts, foreign elements and expressions of BPMN files by chance."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from schemas.core.bpmn.model import BpmnExpression, XmlNode
from schemas.core.bpmn.xml.names import UNPEND, ZEEBE

FOREIGN = "urn:foreign:1"
characters = st.one_of(
    st.sampled_from("订单审核<>&\"'\r\n\t ]${}="),
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
)
texts = st.text(characters, max_size=12)
names = st.one_of(st.sampled_from(["", "审核订单", "a < b & c"]), texts)
_tags = st.sampled_from([f"{{{FOREIGN}}}data", f"{{{ZEEBE}}}header", "{urn:foreign:2}x"])
foreign_attributes = st.dictionaries(
    st.sampled_from([f"{{{FOREIGN}}}colour", f"{{{ZEEBE}}}modelerTemplate"]), texts, max_size=2
)
expressions = st.builds(
    BpmnExpression,
    text=texts.map(str.strip),
    language=st.sampled_from(["http://www.omg.org/spec/FEEL/20140401", "urn:unpend:expressions"]),
    attributes=st.one_of(st.just({}), foreign_attributes),
)


def _parent(leaf: XmlNode, children: Sequence[XmlNode], tails: Sequence[str]) -> XmlNode:
    """An element with children; texts between them are there as a file has them, or none is."""
    if all(not text.strip() for text in (leaf.text, *tails[: len(children)])):
        return replace(leaf, text="", children=tuple(children))
    mixed = (replace(child, tail=tail) for child, tail in zip(children, tails, strict=False))
    return replace(leaf, children=tuple(mixed))


leaves = st.builds(
    XmlNode,
    tag=_tags,
    text=texts,
    attributes=st.one_of(st.dictionaries(st.sampled_from(["type", "值"]), texts), foreign_attributes),
)
foreign_nodes = st.recursive(
    leaves,
    lambda inner: st.builds(
        _parent, leaves, st.lists(inner, min_size=1, max_size=3), st.lists(texts, min_size=3, max_size=3)
    ),
    max_leaves=5,
)
fields = st.builds(
    lambda name, text: XmlNode(tag=f"{{{UNPEND}}}field", attributes={"name": name}, text=text),
    st.sampled_from(["join", "parameters"]),
    texts,
)
extensions = st.lists(st.one_of(foreign_nodes, fields), max_size=2).map(tuple)
