"""What is answered of an order as a whole: its dossier, the list of orders, and who looked at what was said."""

from storage.orders.order_view import OrderView
from tests.support.api.client import ApiClient
from tests.support.factories import READY, answered, submission

PHONE = "13912345678"


def closed(api: ApiClient) -> str:
    """The task of an order whose customer agreed to a visit."""
    order = submission(answered(READY), metadata={"phone": PHONE, "pending_reason": f"请打{PHONE}"})
    api.house.accept(order)
    api.house.run_to_the_end()
    return order.body.task_id


def test_a_dossier_holds_no_number_and_no_words(api: ApiClient) -> None:
    task_id = closed(api)
    answer = api.get(f"/tasks/{task_id}/dossier", "operator")
    assert answer.status_code == 200
    assert PHONE not in answer.text
    assert [contact["transcript"] for contact in answer.json()["contacts"]] == ["…"]
    assert answer.json()["order"]["phone"] == "139****5678"
    assert "action_taken → closed" in [row["what"] for row in answer.json()["timeline"]]


def test_words_need_their_own_scope_and_leave_a_line_of_who_looked(api: ApiClient) -> None:
    path = f"/tasks/{closed(api)}/dossier"
    assert api.get(path, "operator", params={"words": True}).status_code == 403
    shown = api.get(path, params={"words": True, "by": "王芳"})
    assert [contact["transcript"] for contact in shown.json()["contacts"]] == [READY]
    with api.house.database.transaction() as work:
        lines = OrderView(work).audit_lines(shown.json()["order"]["task_id"])
    looks = [line["agent_id"] for line in lines if line["event_type"] == "personal_data_revealed"]
    assert looks == ["admin"]


def test_orders_are_listed_page_by_page_the_newest_first(api: ApiClient) -> None:
    ids = []
    for _ in range(3):
        order = submission()
        api.house.accept(order)
        ids.append(order.body.task_id)
    first = api.get("/orders", params={"limit": 2}).json()
    rest = api.get("/orders", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["task_id"] for row in first["orders"] + rest["orders"]] == ids[::-1]
    assert rest["next_cursor"] is None


def test_an_order_that_is_not_there_is_answered_404(api: ApiClient) -> None:
    for path in ("dossier", "why", "contact-policy", "next-contact"):
        assert api.get(f"/tasks/HT404/{path}").status_code == 404
