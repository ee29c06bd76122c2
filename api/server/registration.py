"""What a context adds to the API: its routes, and what the server must know to answer for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter

from api.server.errors import Faults
from storage.core.unit_of_work import UnitOfWork

Figure = Callable[[UnitOfWork], float]
"""Reads one number that the health route shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One context, as `api.app` composes it with the others."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """The groups of its routes in the description, each with what it is for."""
    keyed: tuple[APIRouter, ...] = ()
    """Routes that need a key; each names the scope."""
    open: tuple[APIRouter, ...] = ()
    """Routes without a key: they are for anyone, or their callers prove themselves otherwise."""
    sockets: tuple[APIRouter, ...] = ()
    """WebSockets; each is also found without the prefix of the version."""
    faults: Faults = field(default_factory=dict)
    """Exceptions that its routes may end in, and what is answered."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """Numbers of `GET /v1/health`, by their names in `fleet`."""
    largest_bodies: Mapping[str, int] = field(default_factory=dict)
    """Bytes a body may have, by the path (without the prefix) where it may have more than elsewhere."""
