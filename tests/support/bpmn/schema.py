"""The OMG's XSD of BPMN 2.0, as SpiffWorkflow carries it."""

from functools import cache
from pathlib import Path
from typing import Any

import SpiffWorkflow
from lxml import etree

_SCHEMA = Path(SpiffWorkflow.__file__).parent / "bpmn" / "parser" / "schema" / "BPMN20.xsd"


@cache
def _schema() -> Any:
    return etree.XMLSchema(etree.parse(str(_SCHEMA)))


def faults_of(text: bytes) -> list[str]:
    """What the XSD finds wrong with a file."""
    schema = _schema()
    schema.validate(etree.fromstring(text))
    return [f"line {fault.line}: {fault.message}" for fault in schema.error_log]
