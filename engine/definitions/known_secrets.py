"""The secrets that definitions name: held against the names of those that the installation has."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import NamedTuple

from runtime.settings import WEBHOOK_SECRET
from schemas.core.configuration import PolicyFileError
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.expression.calculation import nearest


class SecretUse(Enum):
    """What definitions take secrets for, and where an installation has those."""

    REQUEST = "in config/http.yaml"
    WEBHOOK = f"among those of the API ({WEBHOOK_SECRET}…)"


KnownSecrets = Mapping[SecretUse, Callable[[], Collection[str]]]
"""What tells the names of the secrets that there are; those of a use that is not here are not looked at."""


class TakenSecret(NamedTuple):
    """A secret that a definition names."""

    use: SecretUse
    name: str
    place: DefinitionFault
    """Where it does; the message says whose it is."""


def unknown_secrets(taken: Iterable[TakenSecret], known: KnownSecrets) -> Iterator[DefinitionFault]:
    """Those of these secrets that there are not; where it cannot be told which there are, that, once for each use."""
    wanted: dict[SecretUse, list[TakenSecret]] = {}
    for each in taken:
        wanted.setdefault(each.use, []).append(each)
    for use, tell in known.items():
        of_use = wanted.get(use)
        if of_use is None:
            continue
        try:
            there = tell()
        except PolicyFileError as error:
            yield _fault(of_use[0], f"it cannot be told which secrets there are: {error}")
            continue
        for each in of_use:
            if each.name not in there:
                hint = nearest(each.name, there)
                yield _fault(each, f"there is no secret '{each.name}' {use.value}{hint}")


def _fault(taken: TakenSecret, problem: str) -> DefinitionFault:
    return replace(taken.place, message=f"{taken.place.message}: {problem}")
