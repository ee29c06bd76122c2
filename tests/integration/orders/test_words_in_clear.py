"""What customers said stands nowhere in clear: rows keep the places of the words that mattered, not the words."""

import pytest
from sqlalchemy import text

from storage.people.reviews import Reviews
from tests.support.api.client import api_over, register_keys
from tests.support.factories import answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import order_run

SAID = [
    "不是不想修，等下下周三上午我爱人回来再说吧",
    "要是门卫老周放行的话你们就过来，不然别来了",
    "取消吧，反正那台破冰箱我已经扔给收废品的胖子了",
    "能取消吗？我表弟说他会弄",
    "下周三或者礼拜五下午都行，你们看着办",
]
_SHORTEST = 4


def fragments(words: str) -> set[str]:
    """Every piece of the words that tells something."""
    return {words[at : at + _SHORTEST] for at in range(len(words) - _SHORTEST + 1)}


def stored(house: InProcessFleet) -> dict[str, str]:
    """Everything that the tables hold as text, but what is encrypted; by table."""
    with house.database.transaction() as work:
        tables = work.connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
        ).scalars()
        found = {}
        for table in tables.all():
            rows = work.connection.execute(text(f'SELECT to_jsonb(t)::text FROM "{table}" t')).scalars()
            found[str(table)] = "\n".join(rows)
    return found


@pytest.mark.parametrize("words", SAID)
def test_no_table_holds_what_a_customer_said(house: InProcessFleet, words: str) -> None:
    order_run(house, answered(words) | {"transcript": words})
    # What a test scripts a simulated customer to say is nobody's words.
    tables = {name: rows for name, rows in stored(house).items() if name not in {"tasks", "rejects"}}
    told = {name: [piece for piece in fragments(words) if piece in rows] for name, rows in tables.items()}
    assert {name: pieces for name, pieces in told.items() if pieces} == {}


def test_who_decides_a_review_reads_its_reasons_with_the_words(house: InProcessFleet) -> None:
    words = SAID[4]
    task_id = order_run(house, answered(words))
    with house.database.transaction() as work:
        (review,) = Reviews(work).list(task_id=task_id)
    assert "…[" in review.question
    register_keys(house)
    with api_over(house) as api:
        path = f"/reviews/{review.review_id}"
        heard = api.get(path, "operator").json()
        read = api.get(path, "triage_agent").json()
    assert "…[" not in heard["question"]
    assert any(piece in heard["question"] for piece in (words[at : at + 2] for at in range(len(words) - 1)))
    assert read["question"] == review.question
    assert read["words"] is None
