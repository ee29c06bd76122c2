"""Keeps what triggers could not begin among the refused input: a person corrects it and sends it in again."""

import json
from collections.abc import Sequence

from engine.registry import RefusedStart
from schemas.core.problems import as_records
from storage.core.unit_of_work import UnitOfWork
from storage.people.rejects import Envelope, NewReject
from tasks.forms import EntryPoint
from tasks.people.rejects import keep


def keep_refused(work: UnitOfWork, refused: Sequence[RefusedStart]) -> None:
    """Keep these, with one alert for all."""
    keep(
        work,
        [
            NewReject(
                source=EntryPoint.TRIGGER,
                task_id=each.run_id,
                payload=json.dumps(each.document, ensure_ascii=False),
                problems=as_records(each.problems),
                envelope=Envelope(created_by=each.sent_by),
            )
            for each in refused
        ],
    )
