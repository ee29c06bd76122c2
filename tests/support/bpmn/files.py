"""Small BPMN files, written by hand."""

from schemas.core.bpmn.problems import RejectedBpmn
from schemas.core.bpmn.reading import read_model
from schemas.core.bpmn.xml.names import BPMN, XSI

LINES_BEFORE = 3
"""The lines of a file before what it holds."""


def definitions(roots: str, encoding: str = "UTF-8") -> str:
    """A file with these root elements."""
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n'
        f'<definitions xmlns="{BPMN}" xmlns:xsi="{XSI}" xmlns:f="urn:foreign:1"\n'
        f'  xmlns:unpend="urn:unpend:bpmn:1" targetNamespace="urn:someone">\n{roots}\n</definitions>\n'
    )


def process(inside: str) -> bytes:
    """A file with one process that holds this."""
    return definitions(f'<process id="orders">\n{inside}\n</process>').encode()


def rejections(text: bytes) -> list[str]:
    """What a file is rejected for; nothing where it is read."""
    try:
        read_model(text)
    except RejectedBpmn as rejected:
        return [str(problem) for problem in rejected.problems]
    return []
