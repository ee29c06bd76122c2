"""Private texts that people answer: sealed wherever they go, moved to a new key, blanked after their time."""

from datetime import timedelta
from typing import Any

import pytest

from runtime.cipher import Cipher
from schemas.core.private_words import opened
from statemachine.workflow.options.human import HumanRules
from storage.core.database import Database
from storage.orders.upkeep.retention import Retention
from storage.people.answers import Respondent
from storage.people.reviews import Review
from tasks.orders.upkeep.key_change import renew_all
from tasks.people.answering import answer
from tasks.people.answers import GivenAnswer
from tests.support.engine.general_runs import begin
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.probe import Probe
from tests.support.questions import asked_with

FORM = {"type": "object", "properties": {"account": {"type": "string", "writeOnly": True}}}
GIVEN = {"account": "6222020200112233"}
NEW_KEY = Cipher.new_key()
FORMS = (
    "SELECT output -> 'form' FROM steps WHERE output -> 'form' IS NOT NULL "
    "UNION ALL SELECT decision -> 'form' FROM reviews "
    "UNION ALL SELECT jsonb_array_elements(output -> 'answers') -> 'form' FROM steps "
    "UNION ALL SELECT jsonb_array_elements(decision -> 'answers') -> 'form' FROM reviews "
    "UNION ALL SELECT form FROM review_answers"
)


@pytest.fixture
def answered(house: InProcessFleet) -> Review:
    """A question that two people have answered, with a private text each."""
    (run_id,) = begin(house, "one_question")
    review = asked_with(house, run_id, HumanRules(form=FORM, quorum=2))
    for name in ("wangfang", "lilei"):
        by = Respondent(name=name, has_login=True)
        answer(house.engine, review.review_id, GivenAnswer(decision="yes", by=by, form=GIVEN))
    return review


def forms(database: Database) -> list[Any]:
    return Probe(database).values(FORMS)


def test_after_a_change_of_keys_the_new_key_alone_opens_every_form(
    house: InProcessFleet, answered: Review, database_url: str
) -> None:
    with Database(database_url, Cipher(NEW_KEY, [CIPHER_KEY])) as database:
        renewed = renew_all(database)
    assert (dict(renewed.left), renewed.unreadable) == ({}, ())
    with Database(database_url, Cipher(NEW_KEY)) as database:
        kept = forms(database)
        assert len(kept) == 8
        assert [opened(form, answered.run_id, database.cipher) for form in kept] == [GIVEN] * 8


def test_a_text_that_only_begins_like_a_sealed_one_does_not_keep_a_change_of_keys_from_ending(
    house: InProcessFleet, answered: Review
) -> None:
    text = '{"words": "enc1.x", "more": [{"words": "enc1.01234567.short"}]}'
    Probe(house.database).write(f"UPDATE steps SET output = '{text}'")
    renewed = renew_all(house.database)
    assert (dict(renewed.written), dict(renewed.left)) == ({}, {})


def test_forms_are_blanked_once_they_were_kept_long_enough(house: InProcessFleet, answered: Review) -> None:
    def remove() -> None:
        for _ in range(9):
            with house.database.transaction() as work:
                if Retention(work).remove("general_words", timedelta(days=7), seconds=30).over:
                    Retention(work).end_round()
                    return

    remove()
    assert len(forms(house.database)) == 8
    Probe(house.database).write("UPDATE runs SET finished_at = finished_at - interval '8 days'")
    remove()
    everything = Probe(house.database).values(
        "SELECT row_to_json(r)::text FROM reviews r UNION ALL SELECT row_to_json(a)::text FROM review_answers a "
        "UNION ALL SELECT row_to_json(s)::text FROM steps s"
    )
    assert not [row for row in everything if "enc1." in row]
    decision = Probe(house.database).value("SELECT decision FROM reviews")
    assert (decision["decision"], decision["by"]) == ("yes", "lilei")
