"""What a step of general work is given for its action, and what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from engine.actions import Batch
from schemas.core.parameters import problems_with
from storage.engine.steps import StepRow


class InvalidInput(ValueError):
    """A step was given what its action does not take; the message names the fields and shows no value."""


def own_parameters(
    batch: Batch, step: StepRow, schema: Mapping[str, Any], secrets: Mapping[str, str]
) -> Mapping[str, Any]:
    """What the definition gives this step, with its secrets; work that is nothing but its action has its run's.

    What an earlier step returned stands in the input, too, and is no parameter.

    Raises:
        InvalidInput: the action does not take it.
    """
    definition = batch.definition_of(step)
    names = definition.parameters or schema["properties"]
    revealed = step.input if definition.filled is None else definition.filled.reveal(step.input, secrets)
    assert isinstance(revealed, Mapping)
    given = {name: revealed[name] for name in names if name in revealed}
    problems = problems_with(given, schema, "input")
    if problems:
        raise InvalidInput("; ".join(f"{each.field} {each.message}" for each in problems))
    return given
