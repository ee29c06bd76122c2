"""All files of `config/policies/`, for `unpend policy check` and for every start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from runtime.personal import PersonalFields
from schemas.core.configuration import PolicyFileError, as_file
from tools.calendar.business import Calendar
from tools.calendar.document import load_calendar
from tools.contact_policy.document import load_policies
from tools.contact_policy.policy import ContactPolicy
from tools.policies.approval import ApprovalPolicy, load_approvals
from tools.policies.permissions import Permissions, load_permissions
from tools.policies.personal import load_personal
from tools.policies.retention import DataKind, load_retention
from tools.policies.shadow_mode import ShadowMode, load_shadow_mode

_LOADERS: Final[Mapping[str, Callable[[Path], Any]]] = MappingProxyType(
    {
        "contact": load_policies,
        "calendar": load_calendar,
        "permissions": load_permissions,
        "approval": load_approvals,
        "shadow": load_shadow_mode,
        "retention": load_retention,
        "personal": load_personal,
    }
)


POLICY_FILES: Final = tuple(_LOADERS)
"""The names of all files, without their ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The content of the files, each by name; `contact` is the policy that the installation uses."""

    contact: ContactPolicy
    calendar: Calendar
    permissions: Permissions
    approval: ApprovalPolicy
    shadow: ShadowMode
    retention: Mapping[DataKind, timedelta]
    personal: PersonalFields

    @classmethod
    def read(cls, config_folder: Path, contact_policy: str) -> Self:
        """Read every file of an installation's configuration.

        Raises:
            PolicyFileError: files cannot be used; the message names all of them, each with what to correct.
        """
        looked = look(config_folder, contact_policy)
        faults = [str(found) for found in looked.values() if isinstance(found, PolicyFileError)]
        if faults:
            raise PolicyFileError("\n".join(faults))
        return cls(**{path.stem: found for path, found in looked.items()})


def look(config_folder: Path, contact_policy: str) -> Mapping[Path, Any]:
    """Return each file with its content, or with the reason why it is invalid."""
    found: dict[Path, Any] = {}
    for name in POLICY_FILES:
        path = config_folder / "policies" / f"{name}.yaml"
        try:
            found[path] = _read(path, contact_policy)
        except PolicyFileError as error:
            found[path] = error
    return found


def fault_of(name: str, text: str, contact_policy: str) -> str | None:
    """Return why a file of this name with this text could not be used; `None` where it could. Keeps nothing."""
    try:
        with as_file(text, f"{name}.yaml") as path:
            _read(path, contact_policy)
    except PolicyFileError as error:
        return str(error)
    return None


def _read(path: Path, contact_policy: str) -> Any:
    """Raises: PolicyFileError: the file cannot be used."""
    found = _LOADERS[path.stem](path)
    return _named(path, found, contact_policy) if path.stem == "contact" else found


def _named(path: Path, policies: Mapping[str, ContactPolicy], name: str) -> ContactPolicy:
    policy = policies.get(name)
    if policy is None:
        raise PolicyFileError(
            f"{path}: holds no policy {name!r}, which this installation uses (UNPEND_CONTACT_POLICY); "
            f"it holds {', '.join(policies)}"
        )
    return policy
