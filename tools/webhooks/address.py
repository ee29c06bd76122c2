"""Checks webhook addresses: machines of the public internet over https, and networks that the installation allows.

Whoever may subscribe names an address, so what is no part of the public internet is refused, unless
`UNPEND_WEBHOOK_ALLOWED_NETWORKS` has it. A name is judged by the address that it leads to when a connection is made, so
a name that changes its mind gains nothing.
"""

from dataclasses import dataclass

from runtime.settings import Network
from tools.network.address import AddressRefused, ip_address_of, is_ip_address, is_public, read_url


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
        if is_ip_address(parsed.host):
            self.check_peer(parsed.scheme, parsed.host)

    def check_peer(self, scheme: str, address: str) -> None:
        """Check that a message may go to this IP address by this scheme.

        Raises:
            AddressRefused: it may not.
        """
        peer = ip_address_of(address)
        if any(peer in network for network in self.allowed):
            return
        if not is_public(peer):
            raise AddressRefused(
                "the address is no machine of the public internet; where it is meant, have its network in "
                "UNPEND_WEBHOOK_ALLOWED_NETWORKS"
            )
        if scheme == "http":
            raise AddressRefused(
                "http is for networks in UNPEND_WEBHOOK_ALLOWED_NETWORKS; elsewhere use https"
            )
