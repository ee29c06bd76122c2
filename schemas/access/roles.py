"""What a person is at work, and what each role may do (CONSOLE.md §3)."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.access.scopes import Scope


class Role(StrEnum):
    """What a person is; one may be several."""

    VIEWER = "viewer"
    """Looks at everything, at no customer's words."""
    REVIEWER = "reviewer"
    """Decides reviews, and hears the words that are a part of deciding."""
    OPERATOR = "operator"
    """Steers orders, sees to queues and to what intake refused."""
    DEVELOPER = "developer"
    """Sees to workflows, to webhooks and to what intake refused."""
    MANAGER = "manager"
    """Alerts, stops, the do-not-call list, others' claims, numbers and words in clear."""
    ADMIN = "admin"
    """Everything, people and keys among it."""


_READ: Final = frozenset({Scope.READ})

SCOPES_OF_ROLE: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.VIEWER: _READ,
        Role.REVIEWER: _READ | {Scope.REVIEWS},
        Role.OPERATOR: _READ | {Scope.TASKS, Scope.INTAKE},
        Role.DEVELOPER: _READ | {Scope.WEBHOOKS, Scope.INTAKE, Scope.WORKFLOWS},
        Role.MANAGER: _READ
        | {
            Scope.TASKS,
            Scope.REVIEWS,
            Scope.CLAIMS,
            Scope.ALERTS,
            Scope.STOPS,
            Scope.LIFT,
            Scope.REVEAL,
        },
        Role.ADMIN: frozenset(Scope),
    }
)
"""What each role may do."""


def scopes_of(roles: Collection[str]) -> frozenset[str]:
    """What somebody with these roles may do; a role that there is no more gives nothing."""
    known = [Role(role) for role in roles if role in list(Role)]
    return frozenset(scope.value for role in known for scope in SCOPES_OF_ROLE[role])
