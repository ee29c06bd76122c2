"""The schema of `config/notices.yaml`: the provider and the recipient of each role's notices.

Secrets are not in it: it names those of the setting `notice_secrets`.
"""

from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal[
    "engineer", "quality_inspector", "customer_care", "operations", "security_officer", "duty_manager",
    "reviewer", "operator", "developer", "manager", "admin",
]  # fmt: skip
"""Who is told: the engineer of a visit, and whom alerts are escalated to."""
ROLES: Final[tuple[str, ...]] = get_args(Role)
Url = Annotated[str, Field(pattern=r"^https?://[^\s/@]+$", max_length=500)]
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""A name in `notice_secrets`, never the secret itself."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeishuAppDocument(_Part):
    """A Feishu app."""

    kind: Literal["feishu_app"]
    base_url: Url = "https://open.feishu.cn"
    app_id: str = Field(pattern=r"^cli_[A-Za-z0-9]{1,60}$")
    app_secret: SecretName
    named_by: Literal["open_id", "user_id", "union_id", "email", "chat_id"] = "open_id"


class FeishuBotDocument(_Part):
    """A Feishu custom bot."""

    kind: Literal["feishu_bot"]
    base_url: Url = "https://open.feishu.cn"
    hook: SecretName
    secret: SecretName | None = None


class WecomBotDocument(_Part):
    """A WeCom group bot."""

    kind: Literal["wecom_bot"]
    base_url: Url = "https://qyapi.weixin.qq.com"
    key: SecretName


class DingtalkBotDocument(_Part):
    """A DingTalk custom bot."""

    kind: Literal["dingtalk_bot"]
    base_url: Url = "https://oapi.dingtalk.com"
    token: SecretName
    secret: SecretName | None = None


ProviderDocument = Annotated[
    FeishuAppDocument | FeishuBotDocument | WecomBotDocument | DingtalkBotDocument,
    Field(discriminator="kind"),
]


class RouteDocument(_Part):
    """The provider and recipient of one role."""

    provider: str
    to: str = Field(default="", max_length=200, pattern=r"^[^\s]*$")
    """Whom, for an app; `{engineer_id}` stands for the engineer's own id. A bot has its group."""


class NoticesDocument(_Part):
    """The content of the notices file; without routes no notices are sent or stored."""

    providers: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], ProviderDocument] = Field(
        default_factory=dict
    )
    routes: dict[Role, RouteDocument] = Field(default_factory=dict)
    address: Url | None = None
    """Where people reach this installation, without a slash at the end; links begin with it."""

    @model_validator(mode="after")
    def _every_route_leads_somewhere(self) -> "NoticesDocument":
        for role, route in self.routes.items():
            provider = self.providers.get(route.provider)
            if provider is None:
                known = ", ".join(self.providers) or "none"
                raise ValueError(
                    f"routes.{role}: there is no provider {route.provider:.40}; there are {known}"
                )
            if isinstance(provider, FeishuAppDocument) != bool(route.to):
                wrong = "needs `to`" if not route.to else "takes no `to`; a bot speaks in its own group"
                raise ValueError(f"routes.{role}: {provider.kind} {wrong}")
            gaps = route.to.replace("{engineer_id}", "") if role == "engineer" else route.to
            if "{" in gaps or "}" in gaps:
                raise ValueError(
                    f"routes.{role}.to: the one gap there is is {{engineer_id}}, for the engineer"
                )
        return self
