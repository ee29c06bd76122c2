"""Which agent may request which action: the permission guard of the state machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.core.configuration import read_policy_file

ActionType = Literal["update_appointment", "notify_engineer", "cancel_order", "schedule_followup"]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    agents: Mapping[str, frozenset[ActionType]] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Permissions:
    """The permitted actions of each agent."""

    by_agent: Mapping[str, frozenset[str]]

    def allow(self, agent_id: str, action_type: str) -> bool:
        """Whether this agent may request this action; an agent that is not named may request none."""
        return action_type in self.by_agent.get(agent_id, frozenset())


def load_permissions(path: Path) -> Permissions:
    """Read `config/policies/permissions.yaml`.

    Raises:
        PolicyFileError: the file cannot be used; the message says where and why.
    """
    document = read_policy_file(path, _Document)
    return Permissions({agent: frozenset(actions) for agent, actions in document.agents.items()})
