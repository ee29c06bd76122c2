"""Nothing that a fleet emits or keeps in clear shows a customer's number, or what a customer said."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import pytest

from tests.support.factories import payload, silent
from tests.support.fleet.emitted import ObservedFleet, findings
from tests.support.fleet.running_fleet import RunningFleet
from tests.support.outbound.webhook_receiver import WebhookReceiver
from tests.support.waiting import wait_until
from tools.channels.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

_MARK: Final = "琥珀窗帘"
"""A word of the customers' that occurs nowhere else."""
_READY: Final = f"配件到了，可以安排师傅上门了，{_MARK}那家"
_PARTS_MISSING: Final = f"配件还没到，等配件到了再说，{_MARK}那家"
_NAME: Final = "令狐冲虚"
_ADDRESS: Final = "思过崖顶"
_IDENTITY: Final = "31011519800101987X"
"""A customer's name, where they live, and what is on their papers; they occur nowhere else."""
_digits: Final = count(1)


def _number() -> str:
    """A number that no other test and no sample has."""
    return f"1396480{next(_digits):04}"


@dataclass
class Story:
    """What the customers of one test told, and what was answered to whoever told it for them."""

    seen: ObservedFleet
    numbers: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)
    marks: list[str] = field(default_factory=lambda: [_MARK])

    def number(self) -> str:
        self.numbers.append(_number())
        return self.numbers[-1]

    def post(self, path: str, body: object, expected: int, *, shown: bool = True) -> dict[str, Any]:
        """Send it; `shown` when the answer is for people who may not hear what customers said."""
        status, text = self.seen.call("POST", path, body)
        assert status == expected, (path, status, text)
        if shown:
            self.answers.append((f"answer of POST {path}", text))
        answer: dict[str, Any] = json.loads(text)
        return answer

    def order(self, *script: dict[str, object], phone: str, **changes: Any) -> str:
        body = payload(*script, metadata={"phone": phone}, **_names(), **changes)
        self.post("/agents/orchestrator/tasks/start", body, 200)
        self.tasks.append(str(body["task_id"]))
        return self.tasks[-1]

    def await_row(self, statement: str, task_id: str) -> None:
        fleet = self.seen.fleet
        wait_until(
            lambda: fleet.values(statement, task_id), statement, explain=lambda: fleet.standing([task_id])
        )

    def await_understanding(self, task_id: str) -> None:
        self.await_row(
            "SELECT 1 FROM audit_logs WHERE task_id = %s AND event_type = 'intent_classified'", task_id
        )


def _spellings(mobile: str) -> tuple[str, ...]:
    """A mobile number in forms that are no machine's."""
    first, middle, last = mobile[:3], mobile[3:7], mobile[7:]
    pairs = " ".join(mobile[at : at + 2] for at in range(3, 11, 2))
    return (
        f"{first} {pairs}",
        " ".join(mobile),
        f"{first}_{middle}_{last}",
        f"{first}/{middle}/{last}",
        f"{first}*{middle}*{last}",
        f"{first}—{middle}—{last}",
        f"({first}){middle}{last}",
        f"{mobile[:7]} {last}",
        f"+86 ({first}) {middle}-{last}",
        mobile.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    )


def _elsewhere() -> dict[str, tuple[str, ...]]:
    """Landlines and numbers of other countries: their digits, and how people write them."""
    own = f"{next(_digits):04}"
    return {
        f"2158{own[:2]}88{own[2:]}": (f"(021)58{own[:2]}88{own[2:]}", f"（021）58{own[:2]} 88{own[2:]}"),
        f"75586{own}12": (f"0755 86 {own[:2]} {own[2:]} 12", f"0755-86{own}12"),
        f"212555{own}": (f"212-555-{own}", f"(212) 555-{own}", f"+1 212 555 {own}"),
        f"85251{own}67": (f"00852 51{own}67", f"0085251{own}67", f"+852-51{own[:2]}-{own[2:]}67"),
    }


def _names() -> dict[str, str]:
    number = next(_digits)
    return {"task_id": f"HTP{number:05}", "order_id": f"SOP{number:05}"}


@pytest.fixture
def story(fleet: RunningFleet) -> Story:
    return Story(ObservedFleet(fleet))


@pytest.fixture
def receiver(story: Story) -> Iterator[WebhookReceiver]:
    """Another system that is told of everything."""
    with WebhookReceiver() as receiver:
        _, text = story.seen.call("GET", "/openapi.json")
        events = json.loads(text)["components"]["schemas"]["MessageType"]["enum"]
        body = {"url": f"{receiver.url}/hook", "events": events}
        added = json.loads(story.seen.call("POST", "/webhooks/subscribers", body)[1])
        yield receiver
        story.seen.call("DELETE", f"/webhooks/subscribers/{added['subscriber']['subscriber_id']}")


def _manual_order(story: Story) -> None:
    """An outside agent speaks with the customer, and writes the number wherever it can."""
    phone = story.number()
    task_id = story.order(phone=f"+86 {phone[:3]}-{phone[3:7]}-{phone[7:]}", mode="manual")
    asked = {"task_id": task_id, "contact_method": "phone", "phone_number": phone, "attempt": 1}
    # A number is proved nowhere: this one is put on record, and no answer depends on it.
    story.post("/agents/contact/initiate", {**asked, "task_id": "HT404", "phone_number": story.number()}, 404)
    said = {
        "task_id": task_id,
        "contact_id": f"CONT{task_id}",
        "result": "answered",
        "user_feedback": f"{_PARTS_MISSING} {phone}",
        "raw_transcript": f"{_MARK}，我的电话是 {phone}",
        "recording_url": "https://recordings.example.com/1",
    }
    story.post("/agents/contact/result/record", said, 200)
    story.post("/agents/triage/classify", {"task_id": task_id}, 200)
    action = {
        "task_id": task_id,
        "action_type": "schedule_followup",
        "action_params": {
            "followup_date": "2030-03-16T10:00:00Z",
            "reason": f"请打 {phone}",
            "note": phone,
            "contact_phone": int(phone),
        },
    }
    story.post("/agents/actions/execute", action, 200)
    line = {
        "task_id": task_id,
        "event_type": "noted",
        "agent_id": "audit_agent",
        "metadata": {"note": f"回电 {phone}", phone: phone, "phone": int(phone)},
    }
    story.post("/agents/audit/log", line, 200)


def _strangely_written_order(story: Story) -> None:
    """People write numbers as they like: the order's own, landlines, those of other countries."""
    phone, elsewhere = story.number(), _elsewhere()
    story.numbers += elsewhere
    others = tuple(written for forms in elsewhere.values() for written in forms)
    told = [f"备用电话 {written}，谢谢" for written in (*_spellings(phone), *others)]
    spoken = phone.translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    story.marks.append(spoken)
    metadata = {
        "phone": phone,
        "remarks": told,
        "spoken": f"电话是{spoken}",
        "apart": f"{phone[:3]}…转…{phone[3:]}",
    }
    body = payload(silent(), metadata=metadata, mode="manual", **_names())
    task_id = str(body["task_id"])
    story.post("/agents/orchestrator/tasks/start", body, 200)
    story.tasks.append(task_id)
    for place, words in enumerate(told):
        alert = {"alert_type": "note", "task_id": task_id, "severity": "warning", "message": words}
        story.post("/agents/audit/alert", alert | {"metadata": {words: words}}, 200)
        line = {
            "task_id": task_id,
            "event_type": "noted",
            "agent_id": "audit_agent",
            "metadata": {"note": words},
        }
        story.post("/agents/audit/log", line, 200)
        if place == 0:
            story.post("/contact/do-not-call", {"phone": phone, "reason": words}, 200)
    story.post(f"/tasks/{task_id}/cancel", {"reason": "；".join(told)[:400]}, 200)


def _signalled_order(story: Story) -> None:
    """Upstream tells a new number, and words the customer said."""
    task_id = story.order(silent(), phone=story.number())
    new = story.number()
    signals = f"/tasks/{task_id}/signals"
    story.await_row("SELECT 1 FROM tasks WHERE task_id = %s AND status = 'no_response'", task_id)
    story.post(signals, {"type": "phone_changed", "data": {"phone": f"0086{new}"}}, 200)
    story.post(signals, {"type": "part_arrived", "data": {"note": f"联系 {new}"}}, 200)
    story.post(signals, {"type": "customer_called", "data": {"words": f"{_READY}，打 {new}"}}, 200)
    story.await_understanding(task_id)


def _called_back_order(story: Story) -> None:
    """The provider calls back with the customer's words, twice, and with rubbish."""
    task_id = story.order(silent() | {"delay_seconds": 60}, phone=story.number())
    fleet = story.seen.fleet
    sent = "SELECT key FROM contact_logs WHERE task_id = %s AND status = 'sent'"
    story.await_row(sent, task_id)
    report = {
        "event_id": f"evt-{task_id}",
        "key": fleet.value(sent, task_id),
        "provider_id": "p-1",
        "channel": "phone",
        "result": "answered",
        "transcript": f"{_READY}，{story.numbers[-1]}",
        "duration_seconds": 30,
        "recording_url": None,
        "occurred_at": None,
    }
    for body, expected in ((report, 200), (report, 200), (report | {"result": story.numbers[-1]}, 422)):
        raw, now = json.dumps(body).encode(), int(time.time())
        secret = fleet.settings.callback_secret.get_secret_value()
        headers = {TIMESTAMP_HEADER: str(now), SIGNATURE_HEADER: sign(secret, now, raw)}
        status, text = story.seen.call("POST", "/webhooks/contact/simulator", body, **headers)
        assert status == expected, text
        story.answers.append(("answer of the callback", text))
    story.await_understanding(task_id)


def _doubtful_order(story: Story) -> None:
    """What the customer means is unclear; people note the number wherever they may write."""
    phone, fleet = story.number(), story.seen.fleet
    task_id = story.order(phone=phone, mode="manual")
    said = {"task_id": task_id, "contact_id": f"CONT{task_id}", "result": "answered"}
    story.post("/agents/contact/result/record", {**said, "raw_transcript": f"{_MARK}再说吧 {phone}"}, 200)
    story.post("/agents/triage/classify", {"task_id": task_id}, 200)
    reviews = "SELECT review_id FROM reviews WHERE task_id = %s AND state = 'open'"
    story.await_row(reviews, task_id)
    decision = {"decision": "close", "reason": f"客户改用 {phone}", "by": "王芳"}
    story.post(f"/reviews/{fleet.value(reviews, task_id)}/decide", decision, 200)
    alert = {"alert_type": "note", "task_id": task_id, "severity": "info", "message": f"请回电 {phone}"}
    raised = story.post("/agents/audit/alert", alert, 200)
    story.post(f"/alerts/{raised['alert_id']}/resolve", {"note": f"已回 {phone}"}, 200)
    agent = {"agent_id": "admin.desk", "metadata": {"desk_phone": phone, "note": f"座机 {phone}"}}
    story.post("/agents/register", agent, 200)


def _streamed_orders(story: Story) -> None:
    """Orders that upstream publishes, of which some cannot be understood."""
    fleet, phone = story.seen.fleet, story.number()
    good = payload(silent(), metadata={"phone": phone, "remark": f"备用 {phone}"}, **_names())
    story.tasks.append(str(good["task_id"]))
    bad = [
        f"{{not json {phone}",
        json.dumps(good | {phone: phone}),
        json.dumps(good | _names() | {"priority": phone}),
        json.dumps(good | {"order_type": "已上门"}),
    ]
    fleet.send(json.dumps(good), *bad)
    wait_until(lambda: fleet.broker.xlen("task.created") == 0, "the stream is empty")


def _named_orders(story: Story) -> None:
    """Upstream tells who the customer is and where they live: in an order, and in some that cannot be taken in."""
    fleet, phone = story.seen.fleet, story.number()
    story.marks += [_NAME, _ADDRESS, _IDENTITY]
    metadata = {
        "phone": phone,
        "customerName": _NAME,
        "site": {"地址": f"{_ADDRESS}2号楼", "contacts": [{"姓名": _NAME, "微信": f"{_ADDRESS}人"}]},
        "身份证号": _IDENTITY,
    }
    good = payload(silent(), metadata=metadata, mode="manual", **_names())
    task_id = str(good["task_id"])
    story.tasks.append(task_id)
    story.post("/agents/orchestrator/tasks/start", good, 200)
    story.post("/agents/orchestrator/tasks/start", good | {"priority": 1}, 409)
    story.post("/agents/orchestrator/tasks/start", good | {"priority": 11}, 422)
    streamed = good | _names()
    story.tasks.append(str(streamed["task_id"]))
    fleet.send(
        json.dumps(streamed),
        json.dumps(streamed | _names() | {"priority": 99}, ensure_ascii=False),
        json.dumps(streamed | _names())[:-9],
    )
    wait_until(lambda: fleet.broker.xlen("task.created") == 0, "the stream is empty")
    line = {"task_id": task_id, "event_type": "noted", "agent_id": "audit_agent", "metadata": metadata}
    story.post("/agents/audit/log", line, 200)
    alert = {"alert_type": "note", "task_id": task_id, "severity": "info", "message": "请核对地址"}
    story.post("/agents/audit/alert", alert | {"metadata": metadata}, 200)
    asked = {"field": "metadata", "reason": "核对地址"}
    assert _NAME in json.dumps(
        story.post(f"/tasks/{task_id}/reveal", asked, 200, shown=False), ensure_ascii=False
    )


def _general_work(story: Story) -> None:
    """Words that belong to no order."""
    phone = story.number()
    words = {"text": f"{_PARTS_MISSING} {phone}"}
    task = {"task_type": "triage.classify_text", "description": f"读 {phone}", "parameters": words}
    answer = story.post("/tasks", task, 200)
    story.tasks.append(str(answer["task_id"]))
    story.post("/tools/classify_intent/call", {"tool_name": "classify_intent", "input": words}, 200)


def _mistakes(story: Story) -> None:
    """Requests that are wrong, with the number where none belongs."""
    phone = story.number()
    order = payload(metadata={"phone": phone}, **_names())
    story.post("/agents/orchestrator/tasks/start", order | {phone: phone}, 422)
    story.post("/agents/orchestrator/tasks/start", order | {"order_type": phone}, 422)
    story.post("/contact/do-not-call", {"phone": phone, "reason": f"{phone} 不要再打"}, 200)
    for path in (f"/tasks?limit={phone}", f"/tasks?cursor={phone}", f"/nowhere/{phone}"):
        story.answers.append(
            (f"answer of GET {path[:12]}", story.seen.call("GET", path)[1].replace(path, ""))
        )


def test_numbers_and_words_of_customers_are_nowhere_in_clear(story: Story, receiver: WebhookReceiver) -> None:
    fleet = story.seen.fleet
    for part in (
        _manual_order,
        _strangely_written_order,
        _signalled_order,
        _called_back_order,
        _doubtful_order,
        _streamed_orders,
        _named_orders,
        _general_work,
        _mistakes,
    ):
        part(story)
    wait_until(lambda: receiver.received, "another system was told")
    ids = "SELECT CAST({0} AS text) FROM {1}"
    names = {
        "task_id": story.tasks,
        "review_id": fleet.values(ids.format("review_id", "reviews")),
        "reject_id": fleet.values(ids.format("reject_id", "rejects")),
        "dispatch_id": fleet.values(ids.format("dispatch_id", "dispatches")),
        "agent_id": fleet.values(ids.format("agent_id", "agents")),
    }
    told = [(f"webhook {each.path}", each.body.decode()) for each in receiver.received]
    texts = [*story.seen.emitted(names), *story.answers, *told]
    found = findings(iter(texts), story.numbers, story.marks)
    assert not found, "\n".join(str(each) for each in found)
    # What is sought is found where it is: the texts are whole, and the search sees.
    masked = f"{story.numbers[0][:3]}****{story.numbers[0][-4:]}"
    assert any(masked in text for where, text in texts if where.startswith("table tasks"))
    assert {where.split()[0] for where, _ in texts} >= {
        "file",
        "process",
        "table",
        "broker",
        "flower",
        "exporter",
        "GET",
    }
    for task_id in story.tasks:
        story.seen.call(
            "POST", f"/tasks/{task_id}/cancel", {"reason": f"the test is over, {story.numbers[0]}"}
        )
