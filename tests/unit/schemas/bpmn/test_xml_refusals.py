"""What is no XML that a model needs is refused with one sentence: sizes, encodings, document types, entities."""

import pytest
from hypothesis import given

from schemas.core.bpmn.model import XmlNode
from schemas.core.bpmn.problems import RejectedBpmn
from schemas.core.bpmn.reading import read_model
from schemas.core.bpmn.xml.tree_reader import DEEPEST, LARGEST, MOST, MOST_PREFIXES, read_tree
from schemas.core.bpmn.xml.tree_writer import write_tree
from tests.support.bpmn.files import definitions, rejections
from tests.support.bpmn.texts import foreign_nodes

NAMED = '<process id="p" name="审核订单 é"/>'
MANY_PREFIXES = "<a {}/>".format(
    " ".join(f'xmlns:p{at}="urn:{at}"' for at in range(MOST_PREFIXES + 1))
).encode()
BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n<a>&b;</a>'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "the file is empty"),
        (b" \n\t", "the file is empty"),
        (b"\xef\xbb\xbf", "line 1: the file is no well-formed XML: no element found"),
        (b"x" * (LARGEST + 1), "the file has 5,242,881 bytes; 5,242,880 are the most that are read"),
        (
            b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1),
            "line 1: elements are more than 64 deep within one another",
        ),
        (b"<a>\n" + b"<b/>" * MOST + b"</a>", "line 2: the file has more than 100,000 elements"),
        (
            MANY_PREFIXES,
            "line 1: the file has more than 200 namespaces",
        ),
        (
            BOMB.encode(),
            "line 2: a document type (<!DOCTYPE>) and entities are not read; delete the declaration",
        ),
        (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            "line 1: a document type (<!DOCTYPE>) and entities are not read; delete the declaration",
        ),
        (
            b'<!DOCTYPE a SYSTEM "http://example.com/a.dtd"><a/>',
            "line 1: a document type (<!DOCTYPE>) and entities are not read; delete the declaration",
        ),
        (b"<a>\n&x;</a>", "line 2: the file is no well-formed XML: undefined entity"),
        (b"<a>\n</b>", "line 2: the file is no well-formed XML: mismatched tag"),
        (b"{}", "line 1: the file is no well-formed XML: not well-formed (invalid token)"),
        (b"PK\x03\x04", "line 1: the file is no well-formed XML: not well-formed (invalid token)"),
        (b"<a f:x='1'/>", "line 1: the file is no well-formed XML: unbound prefix"),
    ],
    ids=lambda value: value[-60:] if isinstance(value, str) else "",
)
def test_what_is_no_xml_of_a_model_is_refused_with_one_sentence(text: bytes, expected: str) -> None:
    assert rejections(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            definitions(NAMED, "zlib").encode(),
            "line 1: the encoding zlib is not read; save the file in UTF-8",
        ),
        (
            definitions(NAMED, "utf-7").encode(),
            "line 1: the encoding utf-7 is not read; save the file in UTF-8",
        ),
        (
            definitions(NAMED, "none").encode(),
            "line 1: the encoding none is not read; save the file in UTF-8",
        ),
        (
            definitions(NAMED, "UTF-8").encode("gb18030"),
            "line 4: the bytes are not UTF-8; declare the encoding of the file",
        ),
        (
            definitions(NAMED, "GBK").encode("utf-8-sig"),
            "line 1: the file declares GBK, but its first bytes are those of UTF-8",
        ),
        (
            definitions(NAMED, "UTF-8").encode("utf-16"),
            "line 1: the file declares UTF-8, but its first bytes are those of UTF-16-LE",
        ),
        (
            definitions(NAMED, "UTF-16").encode("utf-8"),
            "line 1: the file declares UTF-16, but its bytes are not UTF-16",
        ),
    ],
)
def test_bytes_that_are_not_what_the_file_declares_are_refused(text: bytes, expected: str) -> None:
    assert rejections(text) == [expected]


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("UTF-16", "utf-16-be"),
        ("GBK", "gbk"),
        ("gb2312", "gbk"),
        ("GB18030", "gb18030"),
        ("Big5", "big5"),
        ("ISO-8859-1", "iso-8859-1"),
        ("windows-1252", "cp1252"),
        ("Shift_JIS", "shift_jis"),
    ],
)
def test_a_file_is_read_in_the_encoding_that_it_declares(declared: str, codec: str) -> None:
    name = "审核".encode(codec, errors="ignore").decode(codec) + "A"
    text = definitions(f'<process id="p" name="{name}"/>', declared).encode(codec)
    assert read_model(text).processes[0].name == name


def test_a_file_without_a_declaration_is_utf_8_or_utf_16() -> None:
    text = definitions(NAMED).partition("\n")[2]
    assert read_model(text.encode()) == read_model(text.encode("utf-16-le"))


def test_a_file_of_another_kind_is_no_bpmn() -> None:
    assert rejections(b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>') == [
        (
            "line 1: <definitions>: no BPMN 2.0: the root is in the namespace"
            " https://www.omg.org/spec/DMN/20191111/MODEL/, and not <definitions> in"
            " http://www.omg.org/spec/BPMN/20100524/MODEL"
        )
    ]
    assert "without a namespace" in rejections(b"<html/>")[0]


@given(node=foreign_nodes)
def test_a_tree_that_is_written_is_read_as_it_was_and_always_the_same(node: XmlNode) -> None:
    written = write_tree(node, {})
    assert read_tree(written).root == node
    assert write_tree(node, {}) == written


def test_elements_of_no_namespace_and_of_the_default_one_stay_what_they_are() -> None:
    file = read_tree(
        b'<a xmlns="urn:a"><b xmlns=""><c xmlns="urn:a" xml:lang="zh"/><d/></b><e xmlns="urn:e"/></a>'
    )
    again = read_tree(write_tree(file.root, file.prefixes))
    assert again == file
    assert [child.tag for child in again.root.children] == ["b", "{urn:e}e"]
    assert again.prefixes == {"": "urn:a", "ns1": "urn:e"}


def test_a_prefix_that_stands_for_two_namespaces_is_written_as_two() -> None:
    file = read_tree(b'<p:a xmlns:p="urn:a"><p:b xmlns:p="urn:b" p:x="1"/></p:a>')
    assert read_tree(write_tree(file.root, file.prefixes)) == file


def test_a_character_that_xml_cannot_hold_is_refused_by_its_number() -> None:
    with pytest.raises(RejectedBpmn, match=r"U\+0001 cannot be written") as rejected:
        write_tree(XmlNode(tag="a", attributes={"id": "x", "name": "\x01"}), {})
    assert rejected.value.problems[0].element == "x"
