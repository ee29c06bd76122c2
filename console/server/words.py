"""The words of the pages in both languages: `console/words/{zh,en}/CONTEXT.yaml`, the same keys in both."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from schemas.core.language import Language

FOLDER: Final = Path(__file__).parents[1] / "words"


class UnknownWording(KeyError):
    """A page asks for words that no file has: a fault of the page."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    language: Language
    _of_key: Mapping[str, str]

    def __call__(self, key: str, /, **given: object) -> str:
        """The words under a key (`CONTEXT.NAME…`), with what is given put into its places.

        Raises:
            UnknownWording: there is no such key, or a place of it is given nothing.
        """
        try:
            return self._of_key[key].format(**given)
        except KeyError as error:
            raise UnknownWording(f"{self.language}: {key}: {error}") from error

    def has(self, key: str) -> bool:
        """Whether there are words under this key."""
        return key in self._of_key

    def all(self) -> Mapping[str, str]:
        """Every key with its words."""
        return self._of_key

    def below(self, prefix: str) -> dict[str, str]:
        """The words under every key that begins so, by what follows."""
        start = f"{prefix}."
        return {key.removeprefix(start): said for key, said in self._of_key.items() if key.startswith(start)}


@cache
def words_of(language: Language) -> Words:
    """The words of a language, read once."""
    found: dict[str, str] = {}
    for path in sorted((FOLDER / language.value).glob("*.yaml")):
        found.update(_flat(path.stem, yaml.safe_load(path.read_text(encoding="utf-8"))))
    return Words(language, MappingProxyType(found))


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _flat(f"{key}.{name}", below)
    else:
        yield key, str(value)
