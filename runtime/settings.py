"""The settings of an installation, read from the environment once, in the entry point."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from runtime.im_settings import ImSettings
from runtime.rate import read_rate
from runtime.redis_address import RedisAddress, check_sentinels

PROJECT = Path(__file__).resolve().parent.parent
"""The folder that holds the packages and `config/`."""

_CONTAINER_SECRETS: Final = Path("/run/secrets")
REQUEST_SECRET: Final = "UNPEND_SECRET_"  # noqa: S105 - what their names begin with is none
"""How the variables begin that hold the secrets of HTTP steps."""
WEBHOOK_SECRET: Final = "UNPEND_WEBHOOK_SECRET_"  # noqa: S105 - the same
"""How the variables begin that hold the secrets which webhook triggers are signed with."""
NAMED_SECRETS: Final = (REQUEST_SECRET, WEBHOOK_SECRET)
"""How all variables begin whose secrets definitions name."""


Network = IPv4Network | IPv6Network


def networks_of(given: str) -> tuple[Network, ...]:
    """Networks and single addresses with commas between them.

    Raises:
        ValueError: one of them is neither; it says which.
    """
    return tuple(ip_network(one.strip()) for one in given.split(",") if one.strip())


class Settings(ImSettings):
    """All settings, immutable and passed down; nothing else reads the environment."""

    model_config = SettingsConfigDict(
        env_prefix="UNPEND_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    @classmethod
    def read(cls) -> Self:
        """Read the settings from the environment; secrets may also be files, as containers provide them.

        Raises:
            ValidationError: a setting is missing or wrong; it names the setting and shows no value.
        """
        folder = _CONTAINER_SECRETS if _CONTAINER_SECRETS.is_dir() else None
        return cls(
            _secrets_dir=folder,
            request_secrets=_named_secrets(REQUEST_SECRET, folder),
            webhook_secrets=_named_secrets(WEBHOOK_SECRET, folder),
        )

    database_url: SecretStr
    """As the application; as the role for everything where the further ones are not set (docs/audit.md)."""
    database_url_migrate: SecretStr | None = None
    """As the owner of the tables: for `unpend migrate` and `unpend up`."""
    database_url_retention: SecretStr | None = None
    """As the role that may remove and erase: for the worker `upkeep`, and the API where it erases."""
    database_url_reader: SecretStr | None = None
    """As the role that reads figures alone: for the exporter."""
    broker_url: SecretStr
    """`redis://…` or `rediss://…`, `sentinel://…;sentinel://…`, or `amqp://…` of RabbitMQ (docs/hosts.md)."""
    sentinel_master: str | None = None
    """The name of the master, where an address names sentinels."""
    intake_amqp_url: SecretStr | None = None
    """Where the queue `unpend.task.created` is read (`amqp://…`, or a Redis); without it on the broker."""
    cipher_key: SecretStr
    cipher_keys_old: SecretStr = SecretStr("")
    """Former cipher keys with commas between them, read with until nothing stored names them (docs/privacy.md)."""
    index_key: SecretStr | None = None
    """Finds phone numbers by their blind index; derived from the cipher key where it is not set (docs/privacy.md)."""
    index_keys_old: SecretStr = SecretStr("")
    """Former index keys with commas between them, looked up by until nothing stored needs them (docs/privacy.md)."""
    callback_secret: SecretStr = SecretStr("")
    """Signs what goes to the channel, and verifies its callbacks."""

    channel: Literal["http", "instant", "routed"] = "http"
    """`routed`: through the providers of `config/channels.yaml`, with their secrets below."""
    channel_provider: str = "simulator"
    """The name its callbacks come under: `/webhooks/contact/{provider}`."""
    contacts_at_once: int = Field(default=32, ge=1, le=256)
    """Contacts one worker process places at the same time; a message carries eight times as many."""
    channel_url: str = "http://127.0.0.1:8090"
    channel_token: SecretStr = SecretStr("")
    callback_base_url: str = "http://127.0.0.1:8080/v1"
    """Where the channel reaches our API."""
    aliyun_access_key_id: SecretStr | None = None
    aliyun_access_key_secret: SecretStr | None = None
    aliyun_callback_token: SecretStr | None = None
    """The end of the address Aliyun pushes to, which proves it: its pushes carry no signature."""
    twilio_account_sid: SecretStr | None = None
    twilio_auth_token: SecretStr | None = None

    notice_secrets: SecretStr | None = None
    """A JSON object of the secrets that `config/notices.yaml` names (docs/notices.md)."""

    request_secrets: dict[str, SecretStr] = Field(default_factory=dict)
    """The variables `UNPEND_SECRET_…`, which HTTP steps take as `config/http.yaml` names them (docs/http_steps.md)."""
    webhook_secrets: dict[str, SecretStr] = Field(default_factory=dict)
    """The variables `UNPEND_WEBHOOK_SECRET_…`, which webhook triggers name (docs/triggers.md)."""

    order_system_url: str | None = None
    """Where actions are carried out (docs/order_system.md); without it our own tables are the order system."""
    order_system_secret: SecretStr | None = None
    """Signs what is sent there: `whsec_` and base64."""
    flower_url: str | None = None
    grafana_url: str | None = None
    """Where people open these two; the console links there."""

    config_folder: Path = PROJECT / "config"
    database_connections: int = Field(default=4, ge=1, le=100)
    """Connections a process keeps to PostgreSQL; as many more may be opened for a while."""
    database_prepares: bool = True
    """Whether statements are prepared; set it to false behind PgBouncer in transaction mode (docs/operating.md)."""

    contact_policy: str = "standard"
    """A policy of `config/policies/contact.yaml`; `always_open` for benchmarks."""

    lease_seconds: float = Field(default=12.0, gt=0.5)
    """How long a worker may be silent before its rows go to another; renewed every third of it."""
    outside_lease_seconds: float = Field(default=60.0, gt=0.5)
    """How long an outside agent may be silent about a step before the step goes to another."""
    largest_batch: int = Field(default=300, ge=1, le=1000)
    """Rows one message may carry."""
    gather_seconds: float = Field(default=0.05, ge=0, le=1)
    """How far apart a busy worker begins messages of few rows, so that more rows travel together."""
    low_water: int = Field(default=1, ge=1)
    """Messages waiting in a queue below which more are published."""
    republish_seconds: float = Field(default=5.0, gt=0)
    """How long a published row may stay unclaimed in a queue that drains before it is published again."""
    carry_on_seconds: float = Field(default=1.0, ge=0, le=10)
    """How long a worker goes on with what follows of the same action before it hands back; 0 for not at all."""
    most_crashes: int = Field(default=3, ge=1)
    """Deliveries a row may lose before a person is asked."""
    most_waiting: int = Field(default=100_000, ge=1)
    """Steps of general tasks that may wait in a queue; a new task for one that is full is answered 503."""
    ready_seconds: float = Field(default=60.0, gt=0)
    """How long a process of the embedded fleet, or of a worker's pool, may take from its start until it is ready."""
    soft_shutdown_seconds: float = Field(default=5.0, gt=0)
    """How long a worker that is told to stop goes on with what it has begun; then it gives the rest back."""
    least_wait_seconds: float = Field(default=0.0, ge=0)
    """How long the API waits at least for a step that was called for; the tool's own limit where that is longer."""

    hold_seconds: float = Field(default=8.0, ge=0, le=30)
    """How long a decision made in the worklist is held, so that it can be undone, before it is applied."""

    language_model_url: str | None = None
    """A second opinion on customers' words (docs/triage.md): an OpenAI-compatible endpoint, as `https://host/v1`."""
    language_model_key: SecretStr | None = None
    """The endpoint's bearer token, where it wants one."""
    language_model_name: str = ""
    """Which of the endpoint's models; needed where there is an endpoint."""

    rate_limit: str = "500/second;20000/minute"
    """What one API key may ask, unless it has windows of its own; as `runtime.rate` reads it."""
    trusted_proxies: str = ""
    """Addresses and networks (CIDR, with commas between) of gateways whose `X-Forwarded-For` names the client; no
    other peer is believed."""
    webhook_allowed_networks: str = ""
    """Addresses and networks (CIDR, with commas between) to which webhooks may go though they are no part of the
    public internet; over http too (docs/webhooks.md)."""
    limits_url: SecretStr | None = None
    """The Redis that counts requests and holds the live state (docs/live_state.md); without it the broker when that is
    one, else requests are counted in each process's memory, and there is no live state. Where the broker is no Redis
    the stream `task.created` is read here, too."""

    log_level: str = "INFO"
    log_format: Literal["json", "console"] = "json"
    service_name: str = "unpend"

    @property
    def owner_url(self) -> str:
        """PostgreSQL as the owner of the tables."""
        return (self.database_url_migrate or self.database_url).get_secret_value()

    @property
    def role_urls(self) -> tuple[str, ...]:
        """PostgreSQL as everybody else reaches it."""
        return (self.database_url.get_secret_value(), self.retention_url, self.reader_url)

    @property
    def retention_url(self) -> str:
        """PostgreSQL as whoever may remove and erase."""
        return (self.database_url_retention or self.database_url).get_secret_value()

    @property
    def reader_url(self) -> str:
        """PostgreSQL as whoever reads figures."""
        return (self.database_url_reader or self.database_url).get_secret_value()

    @property
    def redis(self) -> RedisAddress | None:
        """The Redis for what may be lost; `None` where there is none."""
        return self._redis_at(self.limits_url or self.broker_url)

    @property
    def stream_redis(self) -> RedisAddress | None:
        """The Redis of the stream `task.created`: the broker where it is one."""
        return self._redis_at(self.broker_url) or self.redis

    @property
    def sentinel_options(self) -> dict[str, str]:
        """What kombu is told beside an address that names sentinels."""
        return {} if self.sentinel_master is None else {"master_name": self.sentinel_master}

    def _redis_at(self, url: SecretStr) -> RedisAddress | None:
        return RedisAddress.of(url.get_secret_value(), self.sentinel_master)

    @model_validator(mode="after")
    def _findable(self) -> Self:
        if self.cipher_keys_old.get_secret_value() and self.index_key is None:
            raise ValueError(
                "UNPEND_INDEX_KEY must be set where UNPEND_CIPHER_KEYS_OLD is: derived from the new cipher key, it "
                "would find no number any more (docs/privacy.md)"
            )
        return self

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        given = {
            "UNPEND_BROKER_URL": self.broker_url,
            "UNPEND_LIMITS_URL": self.limits_url,
            "UNPEND_INTAKE_AMQP_URL": self.intake_amqp_url,
        }
        for name, url in given.items():
            if url is not None:
                check_sentinels(url.get_secret_value(), self.sentinel_master, name)
        if self.limits_url is not None and self._redis_at(self.limits_url) is None:
            raise ValueError("UNPEND_LIMITS_URL must be a Redis: redis://, rediss://, unix:// or sentinel://")
        return self

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """The gateways of `trusted_proxies`."""
        return networks_of(self.trusted_proxies)

    @property
    def webhook_networks(self) -> tuple[Network, ...]:
        """The networks of `webhook_allowed_networks`."""
        return networks_of(self.webhook_allowed_networks)

    @field_validator("trusted_proxies", "webhook_allowed_networks")
    @classmethod
    def _networks(cls, given: str) -> str:
        networks_of(given)
        return given

    @field_validator(
        "sentinel_master",
        "limits_url",
        "intake_amqp_url",
        "aliyun_access_key_id",
        "aliyun_access_key_secret",
        "aliyun_callback_token",
        "twilio_account_sid",
        "twilio_auth_token",
        "notice_secrets",
        "order_system_url",
        "order_system_secret",
        "flower_url",
        "grafana_url",
        "language_model_url",
        "language_model_key",
        mode="before",
    )
    @classmethod
    def _unset(cls, given: object) -> object:
        """An empty file or variable is none: containers are given a file for every secret there may be."""
        return given or None

    @field_validator("rate_limit")
    @classmethod
    def _readable(cls, rate: str) -> str:
        read_rate(rate)
        return rate


def _named_secrets(prefix: str, folder: Path | None) -> dict[str, SecretStr]:
    """The secrets whose variables begin so, by these: as files, or from the environment, which goes before."""
    files = () if folder is None else folder.glob(f"{prefix.lower()}*")
    found = {file.name.upper(): file.read_text(encoding="utf-8").strip() for file in files}
    found |= {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    return {name: SecretStr(value) for name, value in found.items() if value}


class WatcherSettings(Settings):
    """The settings of a process that reads nothing sealed: Flower and beat have the broker alone, the exporter figures.

    What such a process does not need it is not given, so that whoever breaks into it finds nothing more.
    """

    database_url: SecretStr = SecretStr("")
    cipher_key: SecretStr = SecretStr("")
