"""Checks webhook addresses: machines of the public internet over https, and networks that the installation allows.

Whoever may subscribe names an address that the fleet then speaks to from within: without a rule that is a way to every
machine beside it. So loopback, private, link-local, shared (RFC 6598), multicast and reserved addresses are refused,
also where an IPv6 address carries one (mapped, 6to4, Teredo, NAT64), unless `UNPEND_WEBHOOK_ALLOWED_NETWORKS` has
them. A name is judged by the address that it leads to when a connection is made, so a name that changes its mind gains
nothing.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import httpx2

from runtime.settings import Network

LONGEST_URL: Final = 2000
"""Characters an address may have."""

_LARGEST_PORT: Final = 65_535
_NUMBER: Final = re.compile(r"(?:0[xX])?[0-9a-fA-F]{1,32}(?:\.(?:0[xX])?[0-9a-fA-F]{1,32}){0,3}\.?")
_DIGIT: Final = re.compile(r"[0-9]")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.ip_network("::/96")
"""IPv6 addresses whose last 32 bits are an IPv4 address (RFC 6052, RFC 4291 §2.5.5.1)."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(ValueError):
    """The webhook address is not permitted; the message says why and shows nothing of the address."""


@dataclass(frozen=True, slots=True)
class WebhookAddresses:
    """Where webhooks may go."""

    allowed: tuple[Network, ...] = ()
    """Networks that are no part of the public internet and all the same allowed, over http too."""

    def check_url(self, url: str) -> None:
        """Check that a subscriber may have this address.

        Raises:
            AddressRefused: it is no plain http or https address, or names a place webhooks may not go to.
        """
        parsed = read_url(url)
        try:
            ipaddress.ip_address(parsed.host)
        except ValueError:
            # 2130706433, 0x7f.1: a resolver reads them as addresses, and nobody writes one so by accident.
            if _NUMBER.fullmatch(parsed.host) and _DIGIT.search(parsed.host):
                raise AddressRefused("the host must be a name, or an address as 203.0.113.7") from None
            return
        self.check_peer(parsed.scheme, parsed.host)

    def check_peer(self, scheme: str, address: str) -> None:
        """Check that a message may go to this IP address by this scheme.

        Raises:
            AddressRefused: it may not.
        """
        peer = ipaddress.ip_address(address.partition("%")[0])
        if any(peer in network for network in self.allowed):
            return
        for one in _carried(peer):
            if not _is_public(one):
                raise AddressRefused(
                    "the address is no machine of the public internet; where it is meant, have its network in "
                    "UNPEND_WEBHOOK_ALLOWED_NETWORKS"
                )
        if scheme == "http":
            raise AddressRefused(
                "http is for networks in UNPEND_WEBHOOK_ALLOWED_NETWORKS; elsewhere use https"
            )


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
        raise AddressRefused("the address must hold no name or password; the signature is the proof")
    if parsed.fragment:
        raise AddressRefused("the address must have no fragment (#…)")
    if port is not None and not 0 < port <= _LARGEST_PORT:
        raise AddressRefused(f"the port must be 1 to {_LARGEST_PORT}")
    return parsed


def _carried(peer: _Address) -> Iterator[_Address]:
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


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address in _NAT64):
        # What it carries is judged by itself.
        return True
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_unspecified
    )
