"""Where webhooks may go, and where not."""

import pytest

from tools.webhooks.address import AddressRefused, check_peer, check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks?token=x",
        "http://127.0.0.1:9000/",
        "http://10.1.2.3/hooks",
        "http://[::1]:8080/hooks",
        "https://8.8.8.8/hooks",
        "http://erp.internal/hooks",
    ],
)
def test_an_address_in_the_house_or_over_https_is_accepted(url: str) -> None:
    check_url(url)


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
        check_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%eth0", "::ffff:100.100.100.200"])
def test_what_a_name_leads_to_is_judged_as_well(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_peer("https", address)


def test_nothing_goes_in_clear_to_the_world() -> None:
    check_peer("https", "8.8.8.8")
    with pytest.raises(AddressRefused, match="https"):
        check_peer("http", "8.8.8.8")
