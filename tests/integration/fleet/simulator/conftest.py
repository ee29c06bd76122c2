"""A running simulator, an adapter that speaks to it, and a receiver of its callbacks."""

import hashlib
from collections.abc import Iterator

import pytest

from tests.support.simulator.provider_process import TOKEN, CallbackReceiver, ProviderProcess
from tools.channels.http_channel import HttpChannel


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    folder = tmp_path_factory.mktemp("provider")
    with ProviderProcess(folder / "state.db", folder / "log") as process:
        yield process


@pytest.fixture
def channel(provider: ProviderProcess) -> Iterator[HttpChannel]:
    gateway = HttpChannel(provider.base_url, TOKEN, max_connections=8)
    yield gateway
    gateway.close()


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as running:
        yield running


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"HT1/{hashlib.sha256(request.node.name.encode()).hexdigest()[:24]}"
