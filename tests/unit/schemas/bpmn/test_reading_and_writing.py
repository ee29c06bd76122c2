"""The laws of BPMN's XML: what is written is read as the same model, and satisfies the OMG's XSD."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.core.bpmn.model import BpmnModel
from schemas.core.bpmn.problems import RejectedBpmn
from schemas.core.bpmn.reading import read_model
from schemas.core.bpmn.writing import write_model
from tests.support.bpmn.models import models
from tests.support.bpmn.schema import faults_of

any_model = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@any_model
@given(model=models())
def test_a_model_that_is_written_is_read_as_it_was(model: BpmnModel) -> None:
    assert read_model(write_model(model)) == model


@any_model
@given(model=models())
def test_what_is_written_satisfies_the_xsd_of_the_omg(model: BpmnModel) -> None:
    assert faults_of(write_model(model)) == []


@any_model
@given(model=models(), at=st.integers(0, 20_000), put=st.binary(max_size=4), length=st.integers(0, 30))
def test_a_file_with_any_damage_is_read_or_rejected(
    model: BpmnModel, at: int, put: bytes, length: int
) -> None:
    text = write_model(model)
    at %= len(text)
    try:
        read = read_model(text[:at] + put + text[at + length :])
    except RejectedBpmn:
        return
    again = read_model(write_model(read))
    # A prefix that the damage took away is given anew where something has to be said by it.
    assert again.prefixes.items() >= read.prefixes.items()
    assert replace(again, prefixes=read.prefixes) == read
