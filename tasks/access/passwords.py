"""Passwords: hashed with Argon2id, compared without telling who there is (RFC 9106 §4, second choice)."""

import os
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_PASSES: Final = 3
_LANES: Final = 1
"""RFC 9106 has 4; one hash here takes one processor, and several are bounded by their caller."""
_MEMORY_KIB: Final = 65_536
_NOBODYS: Final = (
    "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""Compared with where there is no password, so that the answer takes as long."""


def hash_password(password: str) -> str:
    """The hash of a password, in the PHC form; about 0.2 s of a processor and 64 MiB."""
    salted = Argon2id(
        salt=os.urandom(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=_PASSES,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return salted.derive_phc_encoded(password.encode())


def is_password(password: str, stored: str | None) -> bool:
    """Whether this is the password of the hash; takes as long where there is none."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), stored or _NOBODYS)
    except InvalidKey:
        return False
    return stored is not None
