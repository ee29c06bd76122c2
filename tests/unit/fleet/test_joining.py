"""What an embedded fleet takes over from the environment of its caller."""

import pytest

from fleet.joining import taken_over
from runtime.settings import Settings

SIZES = (
    "DATABASE_CONNECTIONS",
    "LOW_WATER",
    "LARGEST_BATCH",
    "CONTACTS_AT_ONCE",
    "GATHER_SECONDS",
    "MOST_WAITING",
)
SERVERS = ("SENTINEL_MASTER", "LIMITS_URL", "INTAKE_AMQP_URL")


@pytest.mark.parametrize("name", SIZES + SERVERS)
def test_what_a_larger_installation_sets_is_taken_over(name: str) -> None:
    assert name.lower() in Settings.model_fields
    assert taken_over({f"UNPEND_{name}": "x"}) == {f"UNPEND_{name}": "x"}


def test_a_secret_of_the_caller_is_not_taken_over() -> None:
    assert taken_over({"UNPEND_CIPHER_KEY": "x", "PATH": "/bin"}) == {}
