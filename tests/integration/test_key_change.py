"""What is encrypted moves to a new key while the old one still reads, and then needs the old one no more."""

import pytest

from runtime.cipher import Cipher, UnreadableCiphertext
from storage.access.idempotency import IdempotencyKeys
from storage.core.database import Database
from storage.flows.http_requests import HttpRequests
from storage.orders.contacts.contact import place_of
from storage.orders.contacts.contacts import Contacts
from storage.orders.labels import Labels
from storage.orders.orders import Orders
from storage.orders.signals import Signals
from storage.orders.upkeep.ciphertexts import Ciphertexts
from storage.orders.upkeep.personal_metadata import PersonalMetadata
from storage.outbound.artifacts import Artifacts
from storage.outbound.subscribers import Subscribers
from storage.people.rejects import NewReject, Rejects
from tasks.flows.general import accept
from tasks.forms import EntryPoint, NewTask, Sender
from tasks.orders.upkeep.key_change import renew_all
from tests.integration.test_retention import keep_one_of_each
from tests.support.factories import READY, answered, submission
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.outbound.made_artifacts import WORDS, artifact_of

NEW_KEY = Cipher.new_key()
WITH_BOTH = Cipher(NEW_KEY, [CIPHER_KEY])


@pytest.fixture
def task_id(house: InProcessFleet) -> str:
    """A closed order, general work, and one of everything that is encrypted."""
    given = submission(answered(), metadata={"customer_name": "张三丰"})
    house.accept(given)
    task = NewTask(
        task_type="triage.classify_text", description="读", parameters={"text": "再说吧"}, sender=Sender("me")
    )
    accept(house.engine, [task], EntryPoint.HTTP)
    house.run()
    with house.database.transaction() as work:
        keep_one_of_each(work, given.body.task_id)
        claim = IdempotencyKeys(work).begin("me", "other", b"d")
        IdempotencyKeys(work).store(claim, 200, "an answer", {})  # type: ignore[arg-type]
    return given.body.task_id


def test_after_the_change_the_new_key_alone_opens_everything(
    house: InProcessFleet, task_id: str, database_url: str
) -> None:
    with Database(database_url, WITH_BOTH) as database:
        with database.snapshot() as work:
            before = Ciphertexts(work).old()
        renewed = renew_all(database)
    assert (dict(renewed.left), renewed.unreadable) == ({}, ())
    assert renewed.written == {name: rows for name, rows in before.items() if rows}
    # What people answer is in tests/integration/people/test_private_forms.py.
    assert set(before) - set(renewed.written) == {
        "contact_logs.user_feedback",
        "steps.early_signals",
        "steps.output",
        "reviews.context",
        "reviews.decision",
        "review_answers.form",
        "held_decisions.payload",
    }
    with Database(database_url, Cipher(NEW_KEY)) as database, database.transaction() as work:
        phone = Orders(work).find([task_id])[task_id].phone
        assert phone is not None
        assert phone.startswith("+86")
        assert PersonalMetadata(work).of(task_id) == {"customer_name": "张三丰"}
        assert [contact.transcript for contact in Contacts(work).of_task(task_id)] == [READY]
        assert {reject.payload for reject in Rejects(work).recent()} == {"a", "b"}
        assert [label.words for label in Labels(work).given()] == ["再说吧"]
        signal = Signals(work).find(task_id, "s")
        assert signal is not None
        assert signal.sealed_body.open() == "{}"
        assert IdempotencyKeys(work).begin("me", "other", b"d").body == "an answer"  # type: ignore[union-attr]
        (request,) = HttpRequests(work).of_steps([1])[1]
        run_id = work.connection.exec_driver_sql(
            "SELECT run_id FROM runs WHERE subject_id IS NULL"
        ).scalar_one()
        kept = Artifacts(work).find(artifact_of(run_id).path)
        assert kept is not None
        assert Artifacts(work).content(kept, 0, 100).decode() == WORDS
        assert (request.answer, request.callback) == ('{"body": "an answer"}', '"a callback"')
        (subscriber,) = Subscribers(work).all()
        secrets = Subscribers(work).secrets(subscriber.subscriber_id)
        assert secrets is not None
        assert secrets.open() == ("secret",)


def test_a_change_that_was_broken_off_goes_on_where_it_was(
    house: InProcessFleet, task_id: str, database_url: str
) -> None:
    with Database(database_url, WITH_BOTH) as database:
        with database.transaction() as work:
            Ciphertexts(work).renew("rejects.payload", most=1, skip=())
        assert renew_all(database).written["rejects.payload"] == 1
        assert renew_all(database).written == {}


def test_words_in_clear_from_before_are_read_and_then_encrypted(house: InProcessFleet, task_id: str) -> None:
    with house.database.transaction() as work:
        work.connection.exec_driver_sql(
            "UPDATE contact_logs SET transcript = '改天吧', user_feedback = '改天'"
        )
        (contact,) = Contacts(work).of_task(task_id)
        assert (contact.transcript, contact.user_feedback) == ("改天吧", "改天")
    assert renew_all(house.database).written == {
        "contact_logs.transcript": 1,
        "contact_logs.user_feedback": 1,
    }
    with house.database.transaction() as work:
        (contact,) = Contacts(work).of_task(task_id)
        stored = work.connection.exec_driver_sql("SELECT transcript FROM contact_logs").scalar_one()
        assert contact.transcript == "改天吧"
        place = place_of("transcript", contact.contact_id)
    assert "改天吧" not in stored
    assert house.database.cipher.open_text(stored, place) == "改天吧"


def test_what_no_key_opens_is_named_and_left(house: InProcessFleet, database_url: str) -> None:
    with house.database.transaction() as work:
        Rejects(work).keep([NewReject(source="http", task_id=None, payload="a", problems=[])])
    with Database(database_url, Cipher(NEW_KEY)) as database:
        renewed = renew_all(database)
        assert renewed.left == {"rejects.payload": 1}
        assert len(renewed.unreadable) == 1
        assert renewed.unreadable[0].startswith("rejects.payload.REJ")
        with database.transaction() as work, pytest.raises(UnreadableCiphertext):
            Rejects(work).recent()


def test_one_broken_value_does_not_end_the_change(
    house: InProcessFleet, task_id: str, database_url: str
) -> None:
    with house.database.transaction() as work:
        broken = f"enc1.{'0' * 8}.{'A' * 41}"
        work.connection.exec_driver_sql("UPDATE contact_logs SET transcript = %s", (broken,))
        work.connection.exec_driver_sql(
            "UPDATE steps SET input = '[\"enc1.x\"]' WHERE step_id = (SELECT min(step_id) FROM steps)"
        )
    with Database(database_url, WITH_BOTH) as database:
        renewed = renew_all(database)
    assert dict(renewed.left) == {"contact_logs.transcript": 1}
    assert [place.rpartition(".")[0] for place in renewed.unreadable] == ["contact_logs.transcript"]
    assert renewed.written["rejects.payload"] == 2
