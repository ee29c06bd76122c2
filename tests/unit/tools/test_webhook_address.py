"""Where webhooks may go, and where not."""

import pytest

from runtime.settings import networks_of
from tools.network.address import AddressRefused
from tools.webhooks.address import WebhookAddresses

PUBLIC = WebhookAddresses()
INSIDE = WebhookAddresses(networks_of("127.0.0.0/8, ::1, 10.1.0.0/16"))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks?token=x",
        "http://127.0.0.1:9000/",
        "http://10.1.2.3/hooks",
        "http://[::1]:8080/hooks",
        "https://8.8.8.8/hooks",
        "http://erp.internal/hooks",
        "https://add.de/",
    ],
)
def test_an_address_that_is_allowed_or_public_over_https_is_accepted(url: str) -> None:
    INSIDE.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "example.com/hooks",
        "https://",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com/a b",
        "https://例子.com/",
        "https://example.com/\x00",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://example.com/" + "a" * 2000,
        "",
        "http://8.8.8.8/hooks",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::127.0.0.1]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://[2002:7f00:1::]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[2001:0:7f00:1::]/",
        "https://[fc00::1]/",
        "https://[fec0::1]/",
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.0.23/",
        "http://100.100.100.200/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://[::]/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
    ],
)
def test_any_other_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        PUBLIC.check_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%eth0", "::ffff:100.100.100.200", "10.2.0.1"])
def test_what_a_name_leads_to_is_judged_as_well(address: str) -> None:
    with pytest.raises(AddressRefused):
        INSIDE.check_peer("https", address)


def test_nothing_goes_in_clear_to_the_world() -> None:
    PUBLIC.check_peer("https", "8.8.8.8")
    with pytest.raises(AddressRefused, match="https"):
        INSIDE.check_peer("http", "8.8.8.8")
