"""The simulated customer as a provider: what the wire protocol promises, kills included."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from schemas.orders.contact import Channel, ContactResult
from tests.support.simulator.contacts import PHONE, SAID, contact, faulty
from tests.support.simulator.provider_process import SECRET, TOKEN, CallbackReceiver, ProviderProcess
from tests.support.sought_contact import sought
from tests.support.waiting import wait_until
from tools.channels.contract import Absent, Accepted, Completed, ContactFound, Rejected
from tools.channels.http_channel import HttpChannel
from tools.channels.signature import parse_report, verify
from tools.channels.simulated.instant import InstantChannel


def test_a_repeated_key_is_a_duplicate_and_reaches_the_customer_once(
    provider: ProviderProcess, channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    first = channel.send(contact(key, receiver))
    second = channel.send(contact(key, receiver))
    assert isinstance(first, Accepted)
    assert second == Accepted(first.provider_id, duplicate=True)
    assert provider.ledger(key)["requests"] == 2
    assert provider.ledger(key)["reached"] == 1
    assert key in provider.client.get("/v1/ledger").json()["keys_requested_more_than_once"]


def test_concurrent_requests_of_one_key_reach_the_customer_once(
    provider: ProviderProcess, channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: channel.send(contact(key, receiver)), range(16)))
    assert sum(outcome.duplicate is False for outcome in outcomes if isinstance(outcome, Accepted)) == 1
    entry = provider.ledger(key)
    assert (entry["requests"], entry["reached"]) == (16, 1)


@pytest.mark.parametrize("change", [{"to": "13800139998"}, {"channel": Channel.SMS}])
def test_a_key_used_for_another_recipient_or_channel_is_rejected(
    channel: HttpChannel, receiver: CallbackReceiver, key: str, change: dict[str, Any]
) -> None:
    channel.send(contact(key, receiver))
    assert isinstance(channel.send(contact(key, receiver, **change)), Rejected)


def test_a_result_is_called_back_signed(channel: HttpChannel, receiver: CallbackReceiver, key: str) -> None:
    outcome = channel.send(contact(key, receiver))
    wait_until(lambda: bool(receiver.of(key)))
    callback = receiver.of(key)[0]
    verify(
        [SECRET],
        timestamp=callback.timestamp,
        signature=callback.signature,
        body=callback.body,
        now=time.time(),
    )
    report = parse_report(callback.body)
    assert isinstance(outcome, Accepted)
    assert (report.provider_id, report.result) == (outcome.provider_id, ContactResult.ANSWERED)
    assert report.transcript == "可以上门了。"


def test_a_text_is_reported_delivered_and_then_answered(
    channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    channel.send(contact(key, receiver, {**SAID, "delay_seconds": 0.4}, channel=Channel.SMS))
    wait_until(lambda: len(receiver.of(key)) == 2)
    assert [callback.report["result"] for callback in receiver.of(key)] == ["delivered", "answered"]
    assert [callback.report["status"] for callback in receiver.of(key)] == ["in_progress", "completed"]


def test_a_callback_is_retried_until_it_is_received(
    provider: ProviderProcess, channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    receiver.statuses += [500, 404]
    channel.send(contact(key, receiver))
    wait_until(lambda: provider.ledger(key)["callbacks_delivered"] == 1)
    assert len({callback.report["event_id"] for callback in receiver.of(key)}) == 1
    assert len(receiver.of(key)) == 3


def test_what_was_accepted_survives_a_kill_and_is_called_back(
    tmp_path: Path, receiver: CallbackReceiver
) -> None:
    with ProviderProcess(tmp_path / "state.db", tmp_path / "log") as provider:
        gateway = HttpChannel(provider.base_url, TOKEN)
        keys = [f"HT2/{number}" for number in range(50)]
        late = {**SAID, "delay_seconds": 4}
        for key in keys:
            assert isinstance(gateway.send(contact(key, receiver, late)), Accepted)
        gateway.close()
        provider.kill()
        # The last is not due for a while, however long it took to send them all.
        assert len(receiver.received) < len(keys)
        provider.start()
        wait_until(lambda: len(receiver.received) == len(keys))
        assert {callback.report["key"] for callback in receiver.received} == set(keys)
        wait_until(lambda: provider.client.get("/v1/ledger").json()["callbacks_owed"] == 0)
        summary = provider.client.get("/v1/ledger").json()
        assert (summary["keys"], summary["reached"]) == (50, 50)
        assert summary["keys_reached_more_than_once"] == []


def test_a_contact_under_way_is_found_without_a_report(
    channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    channel.send(contact(key, receiver, {**SAID, "delay_seconds": 3600}))
    found = channel.query(sought(key), timeout_seconds=5)
    assert isinstance(found, ContactFound)
    assert found.report is None


def test_a_key_never_received_is_absent(channel: HttpChannel) -> None:
    assert channel.query(sought("HT1/never/1"), timeout_seconds=5) == Absent()


def test_drawn_behaviour_is_the_same_in_every_process(
    channel: HttpChannel, receiver: CallbackReceiver, key: str
) -> None:
    request = contact(key, receiver, None)
    channel.send(request)
    wait_until(lambda: bool(receiver.of(key)))
    outcome = InstantChannel("test").send(request)
    assert isinstance(outcome, Completed)
    report = parse_report(receiver.of(key)[0].body)
    assert (report.result, report.transcript, report.duration_seconds) == (
        outcome.report.result,
        outcome.report.transcript,
        outcome.report.duration_seconds,
    )


def test_a_malformed_request_is_refused_by_the_field_and_without_the_number(
    provider: ProviderProcess, receiver: CallbackReceiver, key: str
) -> None:
    body = {"key": key, "to": [PHONE], "script_id": "s", "callback_url": receiver.url, "task_id": "HT1"}
    answer = provider.client.post("/v1/calls", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "to"
    assert PHONE not in answer.text


def test_a_wrong_token_is_rejected(provider: ProviderProcess, receiver: CallbackReceiver, key: str) -> None:
    stranger = HttpChannel(provider.base_url, "another token")
    assert isinstance(stranger.send(contact(key, receiver)), Rejected)
    stranger.close()


def test_no_phone_number_is_logged_or_kept(tmp_path: Path, receiver: CallbackReceiver) -> None:
    with ProviderProcess(tmp_path / "state.db", tmp_path / "log") as provider:
        for fault in (None, "accept_then_drop", {"kind": "status"}):
            answer = contact(f"HT3/{fault!r}".replace(" ", ""), receiver, faulty(fault))
            gateway = HttpChannel(provider.base_url, TOKEN)
            gateway.send(answer)
            gateway.close()
        logged = provider.output()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert "startup complete" in logged
    assert PHONE not in logged
    assert b"HT3/" in kept
    assert PHONE.encode() not in kept


def test_without_its_secrets_it_says_which_variables_to_set(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("UNPEND_")}
    command = [sys.executable, "-m", "fleet.simulator", "--port", "0", "--state", str(tmp_path / "s.db")]
    ended = subprocess.run(command, env=bare, capture_output=True, text=True, timeout=180, check=False)
    assert ended.returncode == 2
    assert "UNPEND_CHANNEL_TOKEN" in ended.stderr


def test_health_needs_no_token(provider: ProviderProcess) -> None:
    assert httpx2.get(f"{provider.base_url}/health", trust_env=False).json() == {"status": "ok"}
