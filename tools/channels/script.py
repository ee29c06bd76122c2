"""What a script is at a provider: a text of our own with gaps, or the code of a template approved there."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_GAP: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template that the provider has approved and fills itself.

    Attributes:
        code: Its name there.
        variables: Which of our variables it wants, under the same names.
    """

    code: str
    variables: Sequence[str] = ()

    def parameters(self, given: Mapping[str, str]) -> str:
        """The template's variables as a JSON object; one that was not given is empty."""
        return json.dumps({name: given.get(name, "") for name in self.variables}, ensure_ascii=False)


def filled(text: str, given: Mapping[str, str]) -> str:
    """The text with its gaps, as `{order_type}`, filled; one that was not given is left empty."""
    return _GAP.sub(lambda gap: given.get(gap[1], ""), text)
