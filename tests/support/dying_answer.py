"""`python -m tests.support.dying_answer URL KEY REVIEW`: answers a question, and is killed before it commits."""

import os
import signal
import sys

from runtime.cipher import Cipher
from storage.core.database import Database
from storage.people.answers import Respondent
from tasks.people.answering import answer_within
from tasks.people.answers import Decided, GivenAnswer, lock
from tests.support.in_process_fleet import InProcessFleet
from tests.support.questions import ONE_QUESTION


def main(url: str, key: str, review_id: str) -> None:
    """Answer until dead."""
    house = InProcessFleet.build(url, database=Database(url, Cipher(key)), workflows=[ONE_QUESTION])
    given = GivenAnswer(decision="yes", by=Respondent(name="wangfang", has_login=True))
    with house.engine.transaction() as transaction:
        review = lock(transaction.work, review_id)
        assert review is not None
        assert answer_within(transaction, review, given)[0] is Decided.APPLIED
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
