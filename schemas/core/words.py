"""Reads the words for people: a folder has a file for each language, with the same keys."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from schemas.core.language import Language


@cache
def read_words(folder: Path, language: Language) -> Mapping[str, Any]:
    """All words of a language in this folder, as its file has them."""
    found: dict[str, Any] = yaml.load((folder / f"{language}.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    return found
