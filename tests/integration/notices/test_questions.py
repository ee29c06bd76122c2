"""A question reaches whom it is for as a card, or their group as an address, while it waits for an answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from schemas.access.roles import Role
from statemachine.workflow.options.human import HumanRules
from storage.access.im_identities import ImIdentities
from storage.access.users import Users
from storage.people.reviews import Review
from tasks.im.cards import card_within
from tasks.im.tokens import CardChoice, CardTokens
from tests.support.api.client import register_person
from tests.support.engine.general_runs import begin
from tests.support.in_process_fleet import InProcessFleet
from tests.support.outbound.notice_sender import ADDRESS, NoticeSenderAtWork, senders, through_app
from tests.support.probe import Probe
from tests.support.providers.feishu import Feishu
from tests.support.providers.server import serving
from tests.support.questions import ONE_QUESTION, asked_with, questions_of
from tests.support.waiting import wait_until


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    """A process that knows a run which asks one question."""
    built = InProcessFleet.build(database_url, workflows=[ONE_QUESTION])
    yield built
    built.close()


@pytest.fixture
def bureau(house: InProcessFleet) -> NoticeSenderAtWork:
    """Reviewers and managers are told, by a messenger with accounts."""
    bureau = NoticeSenderAtWork(house.database)
    bureau.declare("reviewer", "manager", messenger="feishu")
    return bureau


def bound(house: InProcessFleet, login: str, role: Role) -> None:
    """A person whose account in Feishu is `ou_` and their login."""
    register_person(house, login, role)
    with house.database.transaction() as work:
        user = Users(work).find(login)
        assert user is not None
        ImIdentities(work).bind(user.user_id, "feishu", f"ou_{login}")


def asked(house: InProcessFleet, rules: HumanRules | None = None) -> Review:
    """An open question."""
    (run_id,) = begin(house, "one_question")
    if rules is not None:
        return asked_with(house, run_id, rules)
    return questions_of(house, run_id)["ask"]


@contextmanager
def sending(house: InProcessFleet) -> Iterator[Feishu]:
    """The worker that sends, and the tenant that it sends to."""
    tenant, tokens = Feishu(), CardTokens.of_settings(house.settings)
    with (
        serving(tenant) as address,
        senders(
            house.database,
            through_app(address, "reviewer", "manager"),
            card=lambda work, question: card_within(work, house.forms, tokens, question),
        ),
    ):
        yield tenant


def test_a_question_is_a_card_for_each_account_of_whom_it_is_for(
    house: InProcessFleet, bureau: NoticeSenderAtWork
) -> None:
    for login, role in (("wangfang", Role.REVIEWER), ("lilei", Role.REVIEWER), ("boss", Role.MANAGER)):
        bound(house, login, role)
    question = asked(house)
    with sending(house) as tenant:
        wait_until(lambda: bureau.states() == ["sent", "sent"])
    assert sorted(each["to"] for each in tenant.messages.values()) == ["ou_lilei", "ou_wangfang"]
    tokens = CardTokens.of_settings(house.settings)
    for message in tenant.messages.values():
        assert sorted(message["buttons"]) == ["no", "yes"]
        read = [tokens.read(value, 0) for value in message["buttons"].values()]
        assert [each.interrupt_id for each in read if isinstance(each, CardChoice)] == [
            question.review_id
        ] * 2
        assert f"{ADDRESS}/console/reviews/{question.review_id}" in message["text"]
        assert question.question not in message["text"]


def test_a_question_of_one_person_is_a_card_for_that_person_alone(
    house: InProcessFleet, bureau: NoticeSenderAtWork
) -> None:
    for login in ("wangfang", "lilei"):
        bound(house, login, Role.REVIEWER)
    asked_with_person = HumanRules(person="lilei")
    (run_id,) = begin(house, "one_question")
    Probe(house.database).write("DELETE FROM notices")
    asked_with(house, run_id, asked_with_person)
    with sending(house) as tenant:
        wait_until(lambda: bureau.states() == ["sent"])
    assert [each["to"] for each in tenant.messages.values()] == ["ou_lilei"]


def test_where_no_account_is_bound_the_group_gets_the_address_and_no_button(
    house: InProcessFleet, bureau: NoticeSenderAtWork
) -> None:
    question = asked(house)
    with sending(house) as tenant:
        wait_until(lambda: bureau.states() == ["sent"])
    (message,) = tenant.messages.values()
    assert message["to"] == "reviewer"
    assert "buttons" not in message
    assert f"{ADDRESS}/console/reviews/{question.review_id}" in message["text"]


def test_a_question_that_is_answered_before_is_sent_to_nobody(
    house: InProcessFleet, bureau: NoticeSenderAtWork
) -> None:
    bound(house, "wangfang", Role.REVIEWER)
    asked(house)
    Probe(house.database).write("UPDATE reviews SET state = 'decided'")
    with sending(house) as tenant:
        wait_until(lambda: bureau.states() == ["given_up"])
    assert tenant.messages == {}


def test_an_account_that_is_unbound_meanwhile_gets_no_card(
    house: InProcessFleet, bureau: NoticeSenderAtWork
) -> None:
    bound(house, "wangfang", Role.REVIEWER)
    asked(house)
    Probe(house.database).write("DELETE FROM im_identities")
    with sending(house) as tenant:
        wait_until(lambda: bureau.states() == ["given_up"])
    assert tenant.messages == {}


def test_where_nobody_is_told_a_question_leaves_no_notice(house: InProcessFleet) -> None:
    bound(house, "wangfang", Role.REVIEWER)
    asked(house)
    assert NoticeSenderAtWork(house.database).log() == []
