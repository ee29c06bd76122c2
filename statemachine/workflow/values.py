"""The values of a run that expressions see, and the variables that they are written to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from statemachine.workflow.definition import Workflow
from statemachine.workflow.options.sizes import Size, json_size


@dataclass(frozen=True, slots=True, kw_only=True)
class RunValues:
    """The values of one run, seen from one of its scopes."""

    parameters: Mapping[str, object] = field(default_factory=dict)
    """What the run was begun with."""
    written: Mapping[str, object] = field(default_factory=dict)
    """The variables that were written, as they are now."""
    outputs: Mapping[str, object] = field(default_factory=dict)
    """What those steps returned that are read by name."""
    run: Mapping[str, object] = field(default_factory=dict)
    """`id`, `workflow`, `version`."""
    bound: Mapping[str, object] = field(default_factory=dict)
    """The elements of the loops around."""
    size: Size = field(default=json_size, compare=False)
    """Measures what is returned, sent and written."""

    def names(self, workflow: Workflow, given: Mapping[str, object]) -> dict[str, object]:
        """What each name stands for, where this was given; what is nearer goes before what is farther."""
        named = {**workflow.variables, **self.parameters, **self.written, **self.bound, **given}
        if workflow.reading.reserved:
            named |= {
                "parameters": self.parameters,
                "variables": {**workflow.variables, **self.written},
                "steps": self.outputs,
                "run": self.run,
            }
        return named
