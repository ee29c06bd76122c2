"""The pages of webhooks: subscribers with their secret shown once, a test, deliveries sent again."""

import re
from typing import Any

import httpx2
from sqlalchemy import text

from schemas.outbound.event_types import MessageType
from storage.outbound.subscribers import Subscribers
from tests.support.console.client import ConsoleClient, words_on
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, event
from tests.support.probe import Probe

URL = "https://orders.example.com/hooks"
DELIVERIES = "/webhooks/deliveries"


def added(console: ConsoleClient, **form: str) -> httpx2.Response:
    given: dict[str, Any] = {"url": URL, "events": "task.closed"} | form
    return console.post("/webhooks", "developer", **given)


def added_id(console: ConsoleClient) -> str:
    added(console)
    return str(Probe(console.house.database).value("SELECT subscriber_id FROM subscribers"))


def made(console: ConsoleClient, number: int, url: str = URL) -> tuple[str, list[str]]:
    """So many deliveries of one subscriber; its id and theirs."""
    office = WebhookSenderAtWork(console.house.database)
    subscriber_id = office.subscribe(url, MessageType.REVIEW_OPENED)
    office.tell(*(event(f"t{n}") for n in range(number)))
    office.feed(subscriber_id)
    ids = "SELECT array_agg(delivery_id ORDER BY event_id) FROM deliveries"
    return subscriber_id, list(Probe(console.house.database).value(ids))


def end(console: ConsoleClient, delivery_id: str, state: str, error: str | None = None) -> None:
    """Write how a delivery ended."""
    with console.house.database.transaction() as work:
        work.connection.execute(
            text(
                "UPDATE deliveries SET state = :state, ended_at = clock_timestamp(), tries = 7, "
                "last_status = 503, last_error = :error WHERE delivery_id = :id"
            ),
            {"state": state, "error": error, "id": delivery_id},
        )


def test_the_secret_is_shown_when_a_subscriber_is_added_and_never_again(console: ConsoleClient) -> None:
    page = added(console)
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page.text)
    subscriber_id = str(Probe(console.house.database).value("SELECT subscriber_id FROM subscribers"))
    for path in ("/webhooks", f"/webhooks/{subscriber_id}"):
        later = console.get(path, "developer")
        assert URL in later.text
        assert secret not in later.text
    assert page.headers["cache-control"] == "no-store"


def test_an_address_that_webhooks_may_not_go_to_is_said_beside_its_field(console: ConsoleClient) -> None:
    page = added(console, url="http://169.254.169.254/")
    assert page.status_code == 422
    assert "no machine of the public internet" in words_on(page)
    assert 'value="http://169.254.169.254/"' in page.text
    assert 'value="task.closed" checked' in page.text
    assert added(console, events="").status_code == 422
    assert Probe(console.house.database).value("SELECT count(*) FROM subscribers") == 0


def test_a_new_secret_is_shown_once_and_the_former_one_still_holds(console: ConsoleClient) -> None:
    subscriber_id = added_id(console)
    page = console.post(f"/webhooks/{subscriber_id}", "developer", do="secret")
    (shown,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page.text)
    with console.house.database.transaction() as work:
        secrets = Subscribers(work).secrets(subscriber_id)
        assert secrets is not None
        now, former = secrets.open()
    assert now == shown
    assert former != shown
    done = "SELECT actor FROM system_audit WHERE what = 'subscriber_secret_changed'"
    assert Probe(console.house.database).value(done) == "developer"


def test_messages_are_chosen_anew(console: ConsoleClient) -> None:
    subscriber_id = added_id(console)
    path = f"/webhooks/{subscriber_id}"
    assert console.post(path, "developer", do="events").status_code == 422
    page = console.post(path, "developer", do="events", events=["task.waiting", "task.rejected"])
    assert 'value="task.waiting" checked' in page.text
    assert 'value="task.closed" checked' not in page.text


def test_a_test_delivery_says_what_came_of_it(console: ConsoleClient) -> None:
    office = WebhookSenderAtWork(console.house.database)
    # Nobody listens there.
    subscriber_id = office.subscribe("http://127.0.0.1:9/hooks", MessageType.CLOSED)
    page = words_on(console.post(f"/webhooks/{subscriber_id}", "developer", do="ping"))
    assert "The test was not taken" in page


def test_a_subscriber_is_removed_by_who_means_it(console: ConsoleClient) -> None:
    subscriber_id = added_id(console)
    path = f"/webhooks/{subscriber_id}"
    assert console.post(path, "developer", do="remove").status_code == 422
    assert "Nobody is subscribed." in words_on(console.post(path, "developer", do="remove", sure="1"))
    assert console.get(path, "developer").status_code == 404


def test_deliveries_are_shown_with_their_state_and_last_answer(console: ConsoleClient) -> None:
    subscriber_id, (failed, _) = made(console, 2)
    end(console, failed, "given_up", "answered 503")
    page = words_on(console.get(f"{DELIVERIES}?subscriber={subscriber_id}&failed=1", "developer"))
    assert f"{failed} review opened t0 given up 7 HTTP 503 answered 503" in page
    assert "t1" not in page
    assert "t1" in words_on(console.get(f"{DELIVERIES}?state=waiting", "developer"))
    assert "t0" in words_on(console.get(f"{DELIVERIES}?task=t0", "developer"))


def test_many_are_sent_again_with_a_result_each(console: ConsoleClient) -> None:
    _, (ended, waiting) = made(console, 2)
    end(console, ended, "given_up", "answered 503")
    page = console.post(DELIVERIES, "developer", do="replay", chosen=[ended, waiting, "msg_0"])
    said = words_on(page)
    assert f"{ended} is sent again" in said
    assert f"{waiting} waits anyway" in said
    assert "msg_0 There is no such delivery." in said
    assert Probe(console.house.database).value("SELECT count(*) FROM deliveries WHERE tries = 0") == 2
    assert console.post(DELIVERIES, "developer", do="replay").status_code == 422


def test_everything_since_a_moment_is_sent_again(console: ConsoleClient) -> None:
    subscriber_id, (given_up, delivered, _) = made(console, 3)
    end(console, given_up, "given_up", "answered 503")
    end(console, delivered, "delivered")
    asked: dict[str, Any] = {"do": "since", "subscriber_id": subscriber_id, "since": "2020-01-01T00:00"}
    page = console.post(DELIVERIES, "developer", **asked, only_failed="1")
    assert "Sent again: 1" in words_on(page)
    assert "Sent again: 1" in words_on(console.post(DELIVERIES, "developer", **asked))
    faulty = console.post(DELIVERIES, "developer", **asked | {"since": "soon"})
    assert faulty.status_code == 422
    assert "This is no moment." in words_on(faulty)


def test_who_may_not_see_webhooks_is_refused(console: ConsoleClient) -> None:
    subscriber_id = added_id(console)
    for login in ("viewer", "operator", "manager"):
        for path in ("/webhooks", DELIVERIES, f"/webhooks/{subscriber_id}"):
            assert console.get(path, login).status_code == 403
            assert console.post(path, login, do="secret").status_code == 403
        assert "/console/webhooks" not in console.get("/alerts", login).text


def test_an_address_is_text_and_both_languages_name_the_pages(console: ConsoleClient) -> None:
    made(console, 1, "https://orders.example.com/?<script>x</script>")
    for language, named in (("zh", "投递记录"), ("en", "Deliveries")):
        for path in ("/webhooks", DELIVERIES):
            page = console.get(path, "developer", language=language)
            assert named in words_on(page)
            assert "<script>x" not in page.text
            assert "&lt;script&gt;x" in page.text
