"""The examples that the API's description shows: data beside the models, a file for each context."""

from pathlib import Path
from typing import Any, Final

import yaml

_FOLDER: Final = Path(__file__).resolve().parent.parent / "examples"


def read_examples() -> dict[str, list[Any]]:
    """The examples of every model that has some, by the model's name."""
    found: dict[str, list[Any]] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        found |= yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    return found
