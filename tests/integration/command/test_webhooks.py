"""What `unpend webhooks` shows and does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.command_line import CommandLine
from tests.support.outbound.webhook_receiver import Reply, WebhookReceiver
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, event
from tools.webhooks.signature import sign

URL = "https://orders.example.com/hooks"


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as listening:
        yield listening


def add(fleet: CommandLine, url: str = URL, *arguments: str) -> tuple[str, str]:
    """A new subscriber's id and secret."""
    told = fleet.read("webhooks", "add", url, *arguments)
    return told["subscriber_id"], told["secret"]


def delivered(fleet: CommandLine, *task_ids: str) -> WebhookSenderAtWork:
    """A subscriber whose messages about these tasks arrived."""
    office = WebhookSenderAtWork(fleet.house.database)
    subscriber_id = office.subscribe(URL)
    office.tell(*map(event, task_ids))
    office.feed(subscriber_id)
    office.change("UPDATE deliveries SET state = 'delivered', last_status = 200, ended_at = now()")
    return office


def test_the_secret_is_printed_once(fleet: CommandLine) -> None:
    told = fleet.run("webhooks", "add", URL, "--event", "task.closed").stdout
    (secret,) = [line for line in told.splitlines() if line.startswith("whsec_")]
    listed = fleet.run("webhooks", "list").stdout
    assert URL in listed
    assert secret not in listed


def test_without_a_choice_everything_is_told(fleet: CommandLine) -> None:
    add(fleet)
    (found,) = fleet.read("webhooks", "list")
    assert found["events"] == [
        "task.closed", "task.review_opened", "task.review_decided", "task.rejected", "task.waiting",
    ]  # fmt: skip


def test_a_forbidden_address_is_refused(fleet: CommandLine) -> None:
    result = fleet.run("webhooks", "add", "http://169.254.169.254/")
    assert result.exit_code == 2
    assert "UNPEND_WEBHOOK_ALLOWED_NETWORKS" in result.stderr


def test_a_ping_is_signed_and_its_answer_shown(fleet: CommandLine, receiver: WebhookReceiver) -> None:
    subscriber_id, secret = add(fleet, receiver.url)
    assert "answered 200 in" in fleet.run("webhooks", "test", subscriber_id).stdout
    (ping,) = receiver.received
    assert ping.type == "ping"
    at = int(ping.headers["webhook-timestamp"])
    assert ping.headers["webhook-signature"] == sign(secret, ping.id, at, ping.body)


def test_a_ping_that_is_not_taken_ends_in_an_error(fleet: CommandLine, receiver: WebhookReceiver) -> None:
    receiver.behaviour = lambda _: Reply(500)
    subscriber_id, _ = add(fleet, receiver.url)
    result = fleet.run("webhooks", "test", subscriber_id)
    assert result.exit_code == 1
    assert "answered 500" in result.stderr


def test_after_a_rotation_a_ping_carries_both_signatures(
    fleet: CommandLine, receiver: WebhookReceiver
) -> None:
    subscriber_id, former = add(fleet, receiver.url)
    current = fleet.read("webhooks", "rotate", subscriber_id)["secret"]
    fleet.run("webhooks", "test", subscriber_id)
    (ping,) = receiver.received
    at = int(ping.headers["webhook-timestamp"])
    both = [sign(secret, ping.id, at, ping.body) for secret in (current, former)]
    assert ping.headers["webhook-signature"].split(" ") == both


def test_what_is_told_is_chosen_anew(fleet: CommandLine) -> None:
    subscriber_id, _ = add(fleet)
    result = fleet.run("webhooks", "choose", subscriber_id, "--event", "task.closed")
    assert result.stdout == f"subscriber {subscriber_id} is told of task.closed\n"
    (found,) = fleet.read("webhooks", "list")
    assert found["events"] == ["task.closed"]
    assert fleet.run("webhooks", "choose", "sub_404", "--event", "task.closed").exit_code == 1
    assert fleet.run("webhooks", "choose", subscriber_id).exit_code == 2


def test_the_log_names_tasks_as_they_are_called(fleet: CommandLine) -> None:
    delivered(fleet, "HW17956655830", "13800138000")
    listed = fleet.run("webhooks", "log").stdout
    assert "HW17956655830" in listed
    assert "13800138000" not in listed
    assert "HW17956655830" in {line["task_id"] for line in fleet.read("webhooks", "log")}


def test_a_removed_subscriber_is_listed_no_more(fleet: CommandLine) -> None:
    subscriber_id, _ = add(fleet)
    assert fleet.run("webhooks", "remove", subscriber_id).exit_code == 0
    assert "nobody is told" in fleet.run("webhooks", "list").stdout
    assert fleet.run("webhooks", "remove", subscriber_id).exit_code == 1


def test_the_log_shows_what_failed_and_why(fleet: CommandLine) -> None:
    office = delivered(fleet, "a", "b")
    office.change("UPDATE deliveries SET state = 'given_up', last_error = 'answered 500' WHERE task_id = 'b'")
    assert [line["task_id"] for line in fleet.read("webhooks", "log", "--failed")] == ["b"]
    assert [line["task_id"] for line in fleet.read("webhooks", "log", "--task", "a")] == ["a"]
    assert "answered 500" in fleet.run("webhooks", "log").stdout


def test_one_message_is_sent_again(fleet: CommandLine) -> None:
    office = delivered(fleet, "a")
    result = fleet.run("webhooks", "replay", office.log()[0].delivery_id)
    assert "is sent again" in result.stdout
    assert office.states() == ["waiting"]


def test_what_was_made_since_a_moment_is_sent_again(fleet: CommandLine) -> None:
    office = delivered(fleet, "old", "new")
    office.change("UPDATE deliveries SET created_at = created_at - interval '2 days' WHERE task_id = 'old'")
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    subscriber_id = office.log()[0].subscriber_id
    result = fleet.run("webhooks", "replay", "--since", since, "--subscriber", subscriber_id)
    assert "sent again: 1" in result.stdout
    assert {d.task_id for d in office.log() if d.state == "waiting"} == {"new"}


@pytest.mark.parametrize("arguments", [[], ["--since", "2026-01-01"], ["msg_1", "--failed"]])
def test_a_replay_of_nothing_in_particular_is_refused(fleet: CommandLine, arguments: list[str]) -> None:
    assert fleet.run("webhooks", "replay", *arguments).exit_code == 2
