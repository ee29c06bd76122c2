"""Which channel goes where: the file, the secrets, and the signed webhook that any vendor can speak."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from runtime.settings import PROJECT, Settings
from schemas.core.configuration import PolicyFileError
from schemas.orders.contact import Channel
from tests.support.in_process_fleet import settings_for
from tests.support.providers.server import DROP, Fault, serving
from tests.support.providers.vendor import TOKEN, Vendor
from tests.support.sought_contact import sought
from tests.support.tools.asking import KEY, SCRIPT, request
from tools.channels.contract import Absent, Accepted, ContactFound, Rejected, Unknown
from tools.channels.http_channel import HttpChannel
from tools.channels.routing import ChannelSecretMissing, open_callback_readers, open_gateway
from tools.channels.simulated.instant import InstantChannel

SECRET = "a secret of the tests"
SECRETS = {
    "aliyun_access_key_id": "id",
    "aliyun_access_key_secret": "key secret",
    "aliyun_callback_token": "token",
    "twilio_account_sid": "AC1",
    "twilio_auth_token": "auth token",
}
ALIYUN_SMS = {"provider": "aliyun_sms", "sign_name": "示例", "scripts": {SCRIPT: {"code": "SMS_1"}}}
ALIYUN_VOICE = {"provider": "aliyun_voice", "scripts": {SCRIPT: {"code": "TTS_1"}}, "keys": {"1": "好"}}
TWILIO_SMS = {"provider": "twilio_messages", "sender": "+15005550006", "scripts": {SCRIPT: "{product}"}}
TWILIO_CALLS = {"provider": "twilio_calls", "sender": "+15005550006", "scripts": {SCRIPT: "{product}"}}
WEBHOOK = {"provider": "webhook"}


def settings(folder: Path, channels: dict[str, Any], **changes: Any) -> Settings:
    (folder / "channels.yaml").write_text(yaml.safe_dump({"channels": channels}), encoding="utf-8")
    values = {"channel": "routed", "config_folder": folder, "channel_token": TOKEN, **SECRETS, **changes}
    return settings_for("postgresql://x", **values)


def test_the_file_that_is_shipped_can_be_used() -> None:
    shipped = settings_for("postgresql://x", channel="routed", config_folder=PROJECT / "config")
    assert list(open_callback_readers(shipped)) == ["simulator"]
    open_gateway(shipped).close()


def test_every_example_in_the_file_that_is_shipped_can_be_used(tmp_path: Path) -> None:
    written = (PROJECT / "config" / "channels.yaml").read_text(encoding="utf-8")
    paragraphs = (paragraph for paragraph in written.split("\n\n") if "\n#   provider:" in paragraph)
    (commented,) = ("\n".join(line[2:] for line in p.splitlines()) for p in paragraphs)
    examples = [yaml.safe_load(example) for example in commented.split("\n\n")]
    assert len(examples) == 4
    for example in examples:
        open_callback_readers(settings(tmp_path, example))
        open_gateway(settings(tmp_path, example)).close()


@pytest.mark.parametrize(("channel", "kind"), [("http", HttpChannel), ("instant", InstantChannel)])
def test_without_routing_one_gateway_serves_every_channel(channel: str, kind: type[object]) -> None:
    given = settings_for("postgresql://x", channel=channel)
    gateway = open_gateway(given)
    assert isinstance(gateway, kind)
    assert list(open_callback_readers(given)) == ["simulator"]
    gateway.close()


def test_the_providers_that_are_configured_can_call_back(tmp_path: Path) -> None:
    given = settings(tmp_path, {"phone": TWILIO_CALLS, "sms": ALIYUN_SMS, "im": WEBHOOK})
    assert set(open_callback_readers(given)) == {"simulator", "aliyun", "twilio"}


@pytest.mark.parametrize(
    ("needing", "channels", "missing"),
    [
        (open_gateway, {"sms": ALIYUN_SMS}, "aliyun_access_key_id"),
        (open_gateway, {"sms": ALIYUN_SMS}, "aliyun_access_key_secret"),
        (open_callback_readers, {"phone": ALIYUN_VOICE}, "aliyun_callback_token"),
        (open_gateway, {"sms": TWILIO_SMS}, "twilio_account_sid"),
        (open_gateway, {"phone": TWILIO_CALLS}, "twilio_auth_token"),
        (open_callback_readers, {"phone": TWILIO_CALLS}, "twilio_auth_token"),
        (open_gateway, {"im": WEBHOOK}, "callback_secret"),
        (open_callback_readers, {"im": WEBHOOK}, "callback_secret"),
    ],
)
def test_a_missing_secret_is_named_by_what_needs_it(
    tmp_path: Path, needing: Callable[[Settings], object], channels: dict[str, Any], missing: str
) -> None:
    with pytest.raises(ChannelSecretMissing, match=f"UNPEND_{missing.upper()}"):
        needing(settings(tmp_path, channels, **{missing: SecretStr("")}))


@pytest.mark.parametrize(
    ("channels", "place"),
    [
        ({}, "channels"),
        ({"fax": WEBHOOK}, "fax"),
        ({"phone": ALIYUN_SMS}, "aliyun_sms is no provider of phone"),
        ({"sms": ALIYUN_SMS | {"scripts": {}}}, "scripts"),
        ({"sms": TWILIO_SMS | {"sender": "12"}}, "sender"),
        ({"sms": TWILIO_SMS | {"scripts": {SCRIPT: "{Produkt!}"}}}, "no gap"),
        ({"phone": ALIYUN_VOICE | {"play_times": 4}}, "play_times"),
        ({"phone": ALIYUN_VOICE | {"keys": {"11": "x"}}}, "keys"),
        ({"im": WEBHOOK | {"base_url": "https://user:word@host"}}, "base_url"),
        ({"im": WEBHOOK | {"secret": "x"}}, "secret"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(tmp_path: Path, channels: dict[str, Any], place: str) -> None:
    with pytest.raises(ValueError, match=place):
        open_gateway(settings(tmp_path, channels))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=r"channels\.yaml"):
        open_gateway(settings_for("postgresql://x", channel="routed", config_folder=tmp_path))


@pytest.fixture
def vendor() -> Vendor:
    return Vendor(SECRET)


@pytest.fixture
def address(vendor: Vendor) -> Iterator[str]:
    with serving(vendor) as served:
        yield served


def test_a_channel_nobody_is_configured_for_is_refused_in_words(tmp_path: Path, address: str) -> None:
    gateway = open_gateway(settings(tmp_path, {"im": WEBHOOK | {"base_url": address}}))
    outcome = gateway.send(request(Channel.SMS))
    assert isinstance(outcome, Rejected)
    assert "channels.yaml" in outcome.reason
    gateway.close()


def test_a_vendor_is_asked_with_a_signature_and_a_key(tmp_path: Path, vendor: Vendor, address: str) -> None:
    gateway = open_gateway(settings(tmp_path, {"im": WEBHOOK | {"base_url": address}}))
    assert gateway.send(request(Channel.IM)) == Accepted(f"v-{KEY}", duplicate=False)
    assert gateway.send(request(Channel.IM)) == Accepted(f"v-{KEY}", duplicate=True)
    assert len(vendor.reached) == 1
    gateway.close()


def test_a_vendor_is_asked_about_what_was_lost(tmp_path: Path, vendor: Vendor, address: str) -> None:
    gateway = open_gateway(settings(tmp_path, {"im": WEBHOOK | {"base_url": address}}))
    vendor.faults.append(DROP)
    assert isinstance(gateway.send(request(Channel.IM)), Unknown)
    assert gateway.query(sought(KEY, Channel.IM), timeout_seconds=5) == ContactFound(f"v-{KEY}", None)
    assert gateway.query(sought("HT2.1.1", Channel.IM), timeout_seconds=5) == Absent()
    gateway.close()


def test_a_provider_may_be_given_less_time_than_the_tool(
    tmp_path: Path, vendor: Vendor, address: str
) -> None:
    hurried = WEBHOOK | {"base_url": address, "timeout_seconds": 0.25}
    gateway = open_gateway(settings(tmp_path, {"im": hurried}))
    vendor.faults.append(Fault(slow_seconds=1.0))
    outcome = gateway.send(request(Channel.IM, timeout_seconds=5.0))
    assert isinstance(outcome, Unknown)
    assert "0.25 seconds" in outcome.reason
    gateway.close()


def test_what_is_shown_of_the_channels_holds_no_secret(tmp_path: Path) -> None:
    given = settings(tmp_path, {"phone": TWILIO_CALLS, "sms": ALIYUN_SMS, "im": WEBHOOK})
    gateway = open_gateway(given)
    shown = repr((gateway, open_callback_readers(given)))
    assert not any(secret in shown for secret in (*SECRETS.values(), SECRET, TOKEN) if secret != "token")
    gateway.close()
