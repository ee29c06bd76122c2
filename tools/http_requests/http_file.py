"""The schema of `config/http.yaml`: the hosts that HTTP steps may ask, and the names of their secrets."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FILE_NAME: Final = "http.yaml"
"""The file's name within the configuration folder."""

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_Port = Annotated[int, Field(ge=1, le=65_535)]
_HostName = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9.:-]{0,252})$|^::[0-9a-f:.]{1,45}$")]
_SecretName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
_Variable = Annotated[str, Field(pattern=r"^UNPEND_SECRET_[A-Z0-9_]{1,100}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HostLine(_Part):
    """What may be asked of one host."""

    methods: frozenset[Method] = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
    ports: frozenset[_Port] = frozenset()
    """Without any: 443, or 80 over plain http."""
    private: bool = False
    """Whether it may be a machine of a network that is no part of the public internet."""
    http: bool = False
    """Whether plain http may be spoken, too."""

    def has_port(self, scheme: str, port: int) -> bool:
        """Whether it may be asked at this port."""
        return port in (self.ports or {80 if scheme == "http" else 443})


class HttpDocument(_Part):
    """The content of the file; without hosts nothing may be asked."""

    hosts: dict[_HostName, HostLine] = Field(default_factory=dict)
    secrets: dict[_SecretName, _Variable] = Field(default_factory=dict)
    """The environment variable that holds each secret."""
