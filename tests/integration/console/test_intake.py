"""The pages of refused input: seen without numbers, corrected, sent in again, let be, many at once."""

import json
from html import unescape
from typing import Any

from storage.people.rejects import NewReject, Rejects
from tests.support.console.client import ConsoleClient, words_on
from tests.support.factories import payload
from tests.support.probe import Probe

PHONE = "13800138000"


def refused(console: ConsoleClient, *, valid: bool = False, **changes: Any) -> tuple[dict[str, Any], str]:
    """An order, and the id under which it was refused; valid, it can be sent in as it came."""
    order = payload(**({"metadata": {"phone": PHONE}} | changes))
    sent = order if valid else order | {"priority": 11}
    reject = NewReject(
        source="queue",
        task_id=order["task_id"],
        payload=json.dumps(sent, ensure_ascii=False),
        problems=[{"field": "priority", "message": "input should be less than or equal to 10"}],
    )
    with console.house.database.transaction() as work:
        Rejects(work).keep([reject])
        return order, Rejects(work).recent(1)[0].reject_id


def state_of(console: ConsoleClient, reject_id: str) -> str:
    with console.house.database.transaction() as work:
        reject = Rejects(work).find(reject_id)
    assert reject is not None
    return reject.state


def test_what_was_refused_is_listed_with_the_field_at_fault(console: ConsoleClient) -> None:
    order, reject_id = refused(console)
    page = console.get("/intake", "operator")
    assert f"{reject_id} priority input should be less than or equal to 10" in words_on(page)
    assert order["task_id"] in words_on(page)
    assert "Nothing stands so." in words_on(console.get("/intake?source=http", "operator"))
    assert "Nothing stands so." in words_on(console.get("/intake?state=dismissed", "operator"))


def test_what_came_is_shown_masked(console: ConsoleClient) -> None:
    _, reject_id = refused(console)
    page = console.get(f"/intake/{reject_id}", "developer")
    assert "138****8000" in page.text
    assert PHONE not in page.text


def test_one_is_corrected_with_the_number_that_came(console: ConsoleClient) -> None:
    order, reject_id = refused(console)
    body = json.dumps(order | {"metadata": {"phone": "138****8000"}}, ensure_ascii=False)
    page = console.post(f"/intake/{reject_id}", "operator", do="correct", body=body)
    assert f"Became {order['task_id']}" in words_on(page)
    assert console.house.order(order["task_id"]).phone == f"+86{PHONE}"
    done = "SELECT actor FROM system_audit WHERE what = 'reject_replayed'"
    assert Probe(console.house.database).value(done) == "operator"


def test_what_is_still_wrong_is_said_by_field_and_the_text_is_kept(console: ConsoleClient) -> None:
    order, reject_id = refused(console)
    body = json.dumps(order | {"priority": 12})
    page = console.post(f"/intake/{reject_id}", "operator", do="correct", body=body)
    assert page.status_code == 422
    assert "It cannot be taken as it is; nothing was changed. priority" in words_on(page)
    assert "&#34;priority&#34;: 12" in page.text
    broken = console.post(f"/intake/{reject_id}", "operator", do="correct", body='{"task_id": ')
    assert broken.status_code == 422
    assert "This is no JSON object." in words_on(broken)
    assert "{&#34;task_id&#34;:" in broken.text
    assert state_of(console, reject_id) == "open"


def test_text_left_as_it_was_shown_is_sent_as_it_came(console: ConsoleClient) -> None:
    _, reject_id = refused(console, valid=True, metadata={"phone": PHONE, "remark": "请回电 13900139000"})
    shown = words_on(console.get(f"/intake/{reject_id}", "operator"))
    assert "13900139000" not in shown
    typed = json.dumps({**json.loads(json_on(console, reject_id))}, ensure_ascii=False, indent=2)
    console.post(f"/intake/{reject_id}", "operator", do="correct", body=typed.replace("\n", "\r\n"))
    corrected = "SELECT detail->>'corrected' FROM system_audit WHERE what = 'reject_replayed'"
    assert Probe(console.house.database).value(corrected) == "false"
    assert state_of(console, reject_id) == "replayed"


def json_on(console: ConsoleClient, reject_id: str) -> str:
    """The text in the field of the correction."""
    page = console.get(f"/intake/{reject_id}", "operator").text
    return unescape(page.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])


def test_many_are_sent_in_again_with_a_result_each(console: ConsoleClient) -> None:
    good, good_id = refused(console, valid=True)
    _, bad_id = refused(console)
    page = words_on(console.post("/intake", "operator", do="replay", chosen=[good_id, bad_id, "rej_none"]))
    assert f"{good_id} Taken in {good['task_id']}" in page
    assert f"{bad_id} It cannot be taken as it is; nothing was changed. priority" in page
    assert "rej_none There is no such input." in page


def test_many_are_let_be_with_a_reason_and_nothing_chosen_is_a_fault(console: ConsoleClient) -> None:
    ids = [refused(console)[1] for _ in range(2)]
    without = console.post("/intake", "operator", do="dismiss", chosen=ids)
    assert without.status_code == 422
    assert without.text.count(" checked") == 2
    assert [state_of(console, each) for each in ids] == ["open", "open"]
    console.post("/intake", "operator", do="dismiss", chosen=ids, reason="测试数据")
    assert [state_of(console, each) for each in ids] == ["dismissed", "dismissed"]
    nothing = console.post("/intake", "operator", do="replay")
    assert nothing.status_code == 422
    assert "Nothing is chosen." in words_on(nothing)


def test_one_is_let_be_with_a_reason_once(console: ConsoleClient) -> None:
    _, reject_id = refused(console)
    path = f"/intake/{reject_id}"
    assert console.post(path, "operator", do="dismiss", reason="").status_code == 422
    page = console.post(path, "operator", do="dismiss", reason="重复")
    assert "let be" in words_on(page)
    again = console.post(path, "operator", do="replay")
    assert again.status_code == 409
    assert "Somebody has handled it already" in words_on(again)


def test_who_may_not_see_refused_input_is_refused(console: ConsoleClient) -> None:
    _, reject_id = refused(console)
    for login in ("viewer", "reviewer", "manager"):
        assert console.get("/intake", login).status_code == 403
        assert console.get(f"/intake/{reject_id}", login).status_code == 403
        assert console.post("/intake", login, do="replay", chosen=reject_id).status_code == 403
        assert "/console/intake" not in console.get("/alerts", login).text


def test_how_upstream_named_things_is_text_and_shows_no_number(console: ConsoleClient) -> None:
    reject = NewReject(
        source="http",
        task_id=None,
        payload='{"<script>x</script>": 1}',
        problems=[{"field": PHONE, "message": "<script>y</script>"}],
    )
    with console.house.database.transaction() as work:
        Rejects(work).keep([reject])
        reject_id = Rejects(work).recent(1)[0].reject_id
    for path in ("/intake", f"/intake/{reject_id}"):
        for language in ("zh", "en"):
            page = console.get(path, "operator", language=language).text
            assert PHONE not in page
            assert "<script>x" not in page
            assert "&lt;script&gt;y" in page


def test_a_refused_input_that_there_is_not_is_not_found(console: ConsoleClient) -> None:
    for name in ("rej_none", "%00"):
        assert console.get(f"/intake/{name}", "operator").status_code == 404
