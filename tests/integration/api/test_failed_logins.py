"""Keys that nobody has, and how often one address may try them."""

from structlog.testing import capture_logs

from api.server.limits.failed_logins import TRIES, WINDOW_SECONDS, FailedLogins
from api.server.refusal import Refusal
from runtime.api_key import new_key
from tests.support.api.client import ApiClient, key_of
from tests.support.waiting import wait_until


def status_for(api: ApiClient, key: str) -> int:
    return api.get("/states", None, headers={"Authorization": f"Bearer {key}"}).status_code


def test_wrong_keys_from_one_address_are_limited_and_say_when_to_come_back(api: ApiClient) -> None:
    statuses = [status_for(api, new_key()) for _ in range(TRIES + 1)]
    assert statuses == [401] * TRIES + [429]
    answer = api.get("/states", None, headers={"Authorization": f"Bearer {new_key()}"})
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW_SECONDS
    assert answer.json()["error"]["code"] == "RATE_LIMITED"


def test_a_caller_who_was_let_in_before_is_not_kept_out_by_what_others_try(api: ApiClient) -> None:
    assert api.get("/states").status_code == 200
    for _ in range(TRIES + 1):
        status_for(api, new_key())
    assert api.get("/states").status_code == 200


def test_a_request_without_a_key_is_no_try(api: ApiClient) -> None:
    for _ in range(TRIES + 1):
        assert api.get("/states", None).status_code == 401
    assert status_for(api, key_of("admin")) == 200


def tried_too_often(failed_logins: FailedLogins, address: str) -> bool:
    try:
        failed_logins.check(address)
    except Refusal:
        return True
    return False


def test_an_address_may_try_again_when_its_window_has_passed() -> None:
    now = 0.0
    failed_logins = FailedLogins(locked_out=print, clock=lambda: now)
    for _ in range(TRIES):
        failed_logins.note("192.0.2.1")
    assert tried_too_often(failed_logins, "192.0.2.1")
    assert not tried_too_often(failed_logins, "192.0.2.2")
    now = WINDOW_SECONDS
    assert not tried_too_often(failed_logins, "192.0.2.1")


def test_one_ipv6_customer_is_one_address_however_many_it_uses() -> None:
    failed_logins = FailedLogins(locked_out=print, clock=lambda: 0.0)
    for number in range(TRIES):
        failed_logins.note(f"2001:db8::{number:x}")
    assert tried_too_often(failed_logins, "2001:db8::ffff")
    assert not tried_too_often(failed_logins, "2001:db8:0:1::1")


def test_many_addresses_do_not_fill_the_memory() -> None:
    failed_logins = FailedLogins(locked_out=print, clock=lambda: 0.0)
    for number in range(11_000):
        failed_logins.note(f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}")
    assert len(failed_logins._tries) == 10_000


def test_a_lock_out_raises_one_alert(api: ApiClient) -> None:
    assert api.get("/alerts").json()["alerts"] == []
    for _ in range(2 * TRIES):
        status_for(api, new_key())
    wait_until(lambda: len(api.get("/alerts").json()["alerts"]) == 1)
    (alert,) = api.get("/alerts").json()["alerts"]
    assert (alert["alert_type"], alert["metadata"]["tries"]) == ("logins_refused", TRIES)


def test_junk_is_refused_by_its_checksum_and_shuts_nobody_out(api: ApiClient) -> None:
    key = new_key()
    junk = f"{key[:-1]}{'0' if key[-1] != '0' else '1'}"
    assert [status_for(api, junk) for _ in range(2 * TRIES)] == [401] * (2 * TRIES)
    assert status_for(api, key_of("admin")) == 200


def test_a_refused_key_is_logged_without_the_key(api: ApiClient) -> None:
    key = new_key()
    with capture_logs() as lines:
        status_for(api, key)
        api.post("/keys", "operator", json={})
    told = {line["event"]: line for line in lines if line["log_level"] == "warning"}
    assert all("address" in told[event] for event in ("nobody's key", "forbidden"))
    assert (told["forbidden"]["agent_id"], told["forbidden"]["scope"]) == ("operator", "admin")
    assert key not in str(lines)
