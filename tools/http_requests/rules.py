"""The rules of an installation for HTTP requests: which may be made, to which address, and the secrets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import httpx2
from pydantic import SecretStr

from schemas.core.configuration import read_policy_file
from tools.http_requests.http_file import FILE_NAME, HostLine, HttpDocument
from tools.http_requests.masking import Mask
from tools.network.address import AddressRefused, ip_address_of, is_ip_address, is_public, read_url

_PORTS: Final[Mapping[str, int]] = MappingProxyType({"http": 80, "https": 443})
_SHORTEST_SECRET: Final = 8


class SecretUnusable(ValueError):
    """A secret is not set, or is none; the message names it and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request may go, before its name is resolved."""

    url: httpx2.URL
    host: str
    port: int
    line: HostLine

    @property
    def origin(self) -> tuple[str, str, int]:
        """What tells whether a redirect leads to somebody else."""
        return (self.url.scheme, self.host, self.port)

    @property
    def target(self) -> str:
        """The path and query, as they are asked for."""
        return self.url.raw_path.decode("ascii")

    def check_peers(self, peers: Collection[str]) -> None:
        """Check that these addresses, to which the host's name leads, may be spoken to.

        Raises:
            AddressRefused: one of them may not.
        """
        if not self.line.private and not all(is_public(ip_address_of(peer)) for peer in peers):
            raise AddressRefused(
                f"the host '{self.host}' is no machine of the public internet; where it is meant, "
                f"have `private: true` in its line of config/{FILE_NAME}"
            )


@dataclass(frozen=True, slots=True)
class HttpRules:
    """The hosts that may be asked, and the secrets that may be used."""

    hosts: Mapping[str, HostLine]
    variables: Mapping[str, str]
    """The environment variable of each secret."""
    _values: Mapping[str, SecretStr] = field(repr=False)

    @classmethod
    def read(cls, folder: Path, values: Mapping[str, SecretStr]) -> Self:
        """The rules of this configuration folder, over the secrets by their variables.

        Raises:
            PolicyFileError: the file cannot be used; the message names its place.
        """
        document = read_policy_file(folder / FILE_NAME, HttpDocument)
        return cls(document.hosts, document.secrets, values)

    def destination(self, method: str, url: str) -> Destination:
        """Where a request goes.

        Raises:
            AddressRefused: it may not be made.
        """
        parsed = read_url(url)
        host = parsed.raw_host.decode("ascii").lower()
        is_ip_address(host)
        line = self.hosts.get(host)
        if line is None:
            raise AddressRefused(f"the host '{host:.100}' is not in config/{FILE_NAME}")
        port = parsed.port or _PORTS[parsed.scheme]
        if parsed.scheme == "http" and not line.http:
            raise AddressRefused(f"the host '{host}' is asked over https alone")
        if not line.has_port(parsed.scheme, port):
            raise AddressRefused(f"the host '{host}' may not be asked at port {port}")
        if method not in line.methods:
            raise AddressRefused(f"the host '{host}' may not be asked by {method}")
        return Destination(parsed, host, port, line)

    def secrets(self, names: Collection[str]) -> Mapping[str, str]:
        """The secrets of these names.

        Raises:
            SecretUnusable: one of them is not known, not set, or no text that can be sent and recognised.
        """
        return {name: self._secret(name) for name in sorted(names)}

    @property
    def mask(self) -> Mask:
        """What takes every secret of the installation out of what the other side says."""
        known = (self._values.get(variable) for variable in self.variables.values())
        return Mask.of(
            [secret for value in known if value and _is_usable(secret := value.get_secret_value())]
        )

    def _secret(self, name: str) -> str:
        variable = self.variables.get(name)
        if variable is None:
            raise SecretUnusable(f"there is no secret '{name}' in config/{FILE_NAME}")
        value = self._values.get(variable)
        if value is None:
            raise SecretUnusable(f"the secret '{name}' is not set: give {variable} to the worker 'general'")
        secret = value.get_secret_value()
        if not _is_usable(secret):
            raise SecretUnusable(
                f"the secret '{name}' must be {_SHORTEST_SECRET} or more printable ASCII characters: {variable}"
            )
        return secret


def _is_usable(secret: str) -> bool:
    """Whether it can stand in a header, and is long enough to be told from what the other side says anyway."""
    return len(secret) >= _SHORTEST_SECRET and secret.isascii() and secret.isprintable()
