"""The script of a contact as sent to a provider: our own text, or the code of an approved template."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_GAP: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template approved by the provider, which fills in the variables.

    Attributes:
        code: Its name there.
        variables: Which of our variables it wants, under the same names.
    """

    code: str
    variables: Sequence[str] = ()

    def parameters(self, given: Mapping[str, str]) -> str:
        """The template's variables as a JSON object; a missing one is empty."""
        return json.dumps({name: given.get(name, "") for name in self.variables}, ensure_ascii=False)


def filled(text: str, given: Mapping[str, str]) -> str:
    """Return the text with its variables, as `{order_type}`, replaced; a missing one becomes empty."""
    return _GAP.sub(lambda gap: given.get(gap[1], ""), text)
