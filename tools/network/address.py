"""Addresses of other machines: read from a URL, and told apart from those of our own network.

Whoever may name an address that the fleet then speaks to from within has a way to every machine beside it, unless
there is a rule. So loopback, private, link-local, shared (RFC 6598), multicast and reserved addresses are not public,
also where an IPv6 address carries one (mapped, 6to4, Teredo, NAT64).
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

import httpx2

LONGEST_URL: Final = 2000
"""Characters an address may have."""

_LARGEST_PORT: Final = 65_535
_NUMBER: Final = re.compile(r"(?:0[xX])?[0-9a-fA-F]{1,32}(?:\.(?:0[xX])?[0-9a-fA-F]{1,32}){0,3}\.?")
_DIGIT: Final = re.compile(r"[0-9]")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.ip_network("::/96")
"""IPv6 addresses whose last 32 bits are an IPv4 address (RFC 6052, RFC 4291 §2.5.5.1)."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(ValueError):
    """The address is not permitted; the message says why and shows nothing of the address."""


def read_url(url: str) -> httpx2.URL:
    """The address in its parts.

    Raises:
        AddressRefused: it is no plain http or https address.
    """
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused(
            f"the address must be at most {LONGEST_URL} printable ASCII characters, no spaces"
        )
    try:
        parsed = httpx2.URL(url)
        port = parsed.port
    except (httpx2.InvalidURL, ValueError) as error:
        raise AddressRefused("the address cannot be read as a URL") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise AddressRefused("the address must be as https://host/path or http://host/path")
    if parsed.userinfo:
        raise AddressRefused("the address must hold no name or password")
    if parsed.fragment:
        raise AddressRefused("the address must have no fragment (#…)")
    if port is not None and not 0 < port <= _LARGEST_PORT:
        raise AddressRefused(f"the port must be 1 to {_LARGEST_PORT}")
    return parsed


def is_ip_address(host: str) -> bool:
    """Whether the host of a URL is an IP address, and no name.

    Raises:
        AddressRefused: it is a number that only resolvers read as an address.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # 2130706433, 0x7f.1: a resolver reads them as addresses, and nobody writes one so by accident.
        if _NUMBER.fullmatch(host) and _DIGIT.search(host):
            raise AddressRefused("the host must be a name, or an address as 203.0.113.7") from None
        return False
    return True


def ip_address_of(address: str) -> IpAddress:
    """The IP address that a socket names, which may have a zone (`fe80::1%eth0`)."""
    return ipaddress.ip_address(address.partition("%")[0])


def is_public(address: IpAddress) -> bool:
    """Whether it is a machine of the public internet, and so is every address that it carries."""
    return all(map(_is_public, _carried(address)))


def _carried(peer: IpAddress) -> Iterator[IpAddress]:
    """The address, and those that it carries for others to unpack."""
    yield peer
    if isinstance(peer, ipaddress.IPv4Address):
        return
    inner = [peer.ipv4_mapped, peer.sixtofour, *(peer.teredo or ())]
    if peer in _NAT64 or peer in _COMPATIBLE:
        inner.append(ipaddress.IPv4Address(int(peer) & 0xFFFF_FFFF))
    for one in inner:
        if one is not None:
            yield one


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address in _NAT64):
        # What it carries is judged by itself.
        return True
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_unspecified
    )
