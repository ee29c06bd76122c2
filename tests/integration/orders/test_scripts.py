"""Which words a contact uses: the usual script, the order's own, or none, and what the contact's log says of it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from runtime.settings import PROJECT
from schemas.orders.contact import Channel
from tests.support.factories import answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import reviews_of
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from tools.channels.contract import Absent, ContactQuery, ContactRequest, NotSent, QueryOutcome, SendOutcome
from tools.channels.simulated.instant import InstantChannel


@dataclass(slots=True)
class Listener:
    """The instant channel, which remembers what it was asked to say."""

    asked: list[ContactRequest] = field(default_factory=list)
    channel: InstantChannel = field(default_factory=InstantChannel)

    def send(self, request: ContactRequest) -> SendOutcome:
        """Answer as the instant channel does."""
        self.asked.append(request)
        return self.channel.send(request)

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:  # noqa: ARG002 - the port's
        """It knows of nothing."""
        return Absent()

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def spoken(database_url: str, listener: Listener) -> Iterator[InProcessFleet]:
    """A house whose channel is listened to."""
    built = InProcessFleet.build(database_url, gateway=listener)
    yield built
    built.close()


@dataclass(slots=True)
class DeadLine:
    """A channel of which it is certain that nothing leaves."""

    def send(self, request: ContactRequest) -> SendOutcome:  # noqa: ARG002 - the port's
        """Nothing was sent."""
        return NotSent("the line is dead")

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:  # noqa: ARG002 - the port's
        """It knows of nothing."""
        return Absent()

    def close(self) -> None:
        """Nothing is held."""


def logged(house: InProcessFleet, task_id: str) -> list[tuple[str, str, str]]:
    """Channel, script and version of each contact, as its log names them."""
    rows = Probe(house.database).rows(
        "SELECT contact_method, script_id, script_version FROM contact_logs WHERE task_id = %s "
        "ORDER BY round, contact_no",
        task_id,
    )
    return [tuple(row) for row in rows]


def test_the_customer_is_told_the_scripts_words_and_the_log_names_the_version(
    spoken: InProcessFleet, listener: Listener
) -> None:
    order = submission(answered(), metadata={"product": "家用空调"})
    spoken.accept(order)
    spoken.run()
    (request,) = listener.asked
    assert request.text is not None
    assert request.text.startswith("您好，我是售后服务中心的智能语音助手。您的家用空调服务单（未上门）")
    assert request.variables == {"order_type": "未上门", "product": "家用空调"}
    assert logged(spoken, order.body.task_id) == [("phone", "pending_task_v1", "1")]


def test_each_channel_has_words_of_its_own(spoken: InProcessFleet, listener: Listener) -> None:
    spoken.accept(submission(silent(), silent(), answered()))
    spoken.run_to_the_end()
    said = {request.channel: request.text for request in listener.asked}
    assert "请直接回复" in str(said[Channel.SMS])
    assert "智能语音助手" in str(said[Channel.PHONE])


def test_an_order_may_pin_a_version_of_a_script(spoken: InProcessFleet) -> None:
    order = submission(answered(), metadata={"script_id": "pending_task_v1:1"})
    spoken.accept(order)
    spoken.run()
    assert logged(spoken, order.body.task_id) == [("phone", "pending_task_v1", "1")]


@pytest.mark.parametrize("script_id", ["no_such_script", "pending_task_v1:99"])
def test_an_order_whose_script_is_unknown_goes_to_a_person_and_nobody_is_contacted(
    spoken: InProcessFleet, listener: Listener, script_id: str
) -> None:
    order = submission(answered(), metadata={"script_id": script_id})
    spoken.accept(order)
    spoken.run()
    assert listener.asked == []
    assert reviews_of(spoken, order.body.task_id) == [("script_unknown", "open")]
    assert logged(spoken, order.body.task_id) == []


def test_an_attempt_of_which_nothing_left_is_logged_with_the_version_that_was_sent_at_last(
    database_url: str, tmp_path: Path
) -> None:
    order = submission(answered())
    task_id = order.body.task_id
    before = InProcessFleet.build(database_url, gateway=DeadLine())
    before.accept(order)
    before.run()
    assert logged(before, task_id) == [("phone", "pending_task_v1", "1")]
    before.close()
    config = tmp_path / "config"
    shutil.copytree(PROJECT / "config", config)
    document = yaml.safe_load((config / "scripts" / "pending_task_v1.yaml").read_text(encoding="utf-8"))
    second = yaml.safe_dump(document | {"version": 2}, allow_unicode=True)
    (config / "scripts" / "second.yaml").write_text(second, encoding="utf-8")
    after = InProcessFleet.build(database_url, config_folder=config)

    def retried() -> bool:
        after.run()
        return after.order(task_id).finish_reason == "visit_arranged"

    wait_until(retried)
    assert logged(after, task_id) == [("phone", "pending_task_v1", "2")]
    after.close()
