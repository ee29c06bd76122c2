"""What a process needs that runs beside those of a running fleet, and what a fleet takes over from its caller."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from fleet.installation import Installation
from fleet.plan import Addresses, BrokerUrls, DatabaseUrls, FleetPlan, Ports
from fleet.process_secrets import IM
from runtime.settings import NAMED_SECRETS

_TAKEN_OVER: Final = frozenset(
    {
        "UNPEND_CONTACT_POLICY",
        "UNPEND_WEBHOOK_ALLOWED_NETWORKS",
        "UNPEND_TRUSTED_PROXIES",
        "UNPEND_CHANNEL",
        "UNPEND_LEASE_SECONDS",
        "UNPEND_LARGEST_BATCH",
        "UNPEND_LOW_WATER",
        "UNPEND_GATHER_SECONDS",
        "UNPEND_MOST_WAITING",
        "UNPEND_SENTINEL_MASTER",
        "UNPEND_LIMITS_URL",
        "UNPEND_DATABASE_CONNECTIONS",
        "UNPEND_DATABASE_PREPARES",
        "UNPEND_REPUBLISH_SECONDS",
        "UNPEND_MOST_CRASHES",
        "UNPEND_READY_SECONDS",
        "UNPEND_LEAST_WAIT_SECONDS",
        "UNPEND_CONTACTS_AT_ONCE",
        "UNPEND_INTAKE_AMQP_URL",
        "UNPEND_LOG_LEVEL",
        "UNPEND_CONFIG_FOLDER",
        "UNPEND_NOTICE_SECRETS",
        "UNPEND_IM_WECOM_CORP_ID",
        "UNPEND_IM_DINGTALK_CORP_ID",
        *IM,
    }
)
"""Settings of the caller's environment that an embedded fleet takes over."""


def taken_over(given: Mapping[str, str]) -> dict[str, str]:
    """The settings of this environment that an embedded fleet takes over."""
    return {
        name: value for name, value in given.items() if name in _TAKEN_OVER or name.startswith(NAMED_SECRETS)
    }


def environment_beside(installation: Installation, name: str, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of one more process like the one of this name, in a fleet that was started with this environment.

    What a forked process was given is not in `/proc`: there stands the environment of the warm parent.

    Raises:
        FleetNotRunning: no fleet runs there.
    """
    document = installation.run_document()
    application = document["database_url"]
    retention = document.get("database_url_retention") or application

    def port(of: str) -> int:
        return urlsplit(document[of]).port or 0

    plan = FleetPlan(
        data_dir=installation.data_dir,
        ports=Ports(
            # Of the servers' ports nobody is told: they are in the addresses.
            postgres=0,
            valkey=0,
            api=port("api"),
            simulator=port("channel"),
            exporter=port("metrics"),
            flower=port("flower"),
            console=port("console"),
        ),
        addresses=Addresses(
            database=DatabaseUrls(
                owner=application, application=application, retention=retention, reader=application
            ),
            broker=BrokerUrls(
                fleet=document["broker_url"],
                flower=document["broker_url"],
                producer=document["producer_url"],
            ),
            api=document["api"],
            channel=document["channel"],
            metrics=document["metrics"],
            flower=document["flower"],
            console=document["console"],
        ),
        kept=installation.secrets(),
        extra=taken_over(given),
    )
    return plan.environment_of(name)
