"""Checks webhook addresses: no private network, and plain HTTP only within the installation.

Private addresses are allowed, for the receiver of an installation usually stands beside it. Link-local ones are
not: under them clouds answer questions about the machine, credentials included. A name is judged by the address
that it leads to when a connection is made, so a name that changes its mind gains nothing.
"""

import ipaddress
from typing import Final

import httpx2

LONGEST_URL: Final = 2000
"""Characters an address may have."""

_LARGEST_PORT: Final = 65_535
_METADATA: Final = frozenset(
    ipaddress.ip_address(address) for address in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
"""Metadata services of clouds that are not link-local."""


_INSIDE: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""Private networks (RFC 1918, RFC 6598, RFC 4193)."""


class AddressRefused(ValueError):
    """The webhook address is not permitted; the message says why and shows nothing of the address."""


def check_url(url: str) -> None:
    """Check that a subscriber may have this address.

    Raises:
        AddressRefused: it is no plain http or https address, or names a place webhooks may not go to.
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
    try:
        ipaddress.ip_address(parsed.host)
    except ValueError:
        return
    check_peer(parsed.scheme, parsed.host)


def check_peer(scheme: str, address: str) -> None:
    """Check that a message may go to this IP address by this scheme.

    Raises:
        AddressRefused: it may not.
    """
    peer = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
        peer = peer.ipv4_mapped
    inside = peer.is_loopback or any(peer in network for network in _INSIDE)
    if (
        peer.is_link_local
        or peer.is_multicast
        or peer.is_unspecified
        or peer in _METADATA
        or (peer.is_reserved and not inside)
    ):
        raise AddressRefused(
            "the address is link-local, a metadata service, or none of one machine; webhooks may not go there"
        )
    if scheme == "http" and not inside:
        raise AddressRefused("http is for loopback and private addresses; beyond them use https")
