"""`unpend triage evaluate --record`: evaluates the model by people's decisions in production."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fleet.command.failure import CommandError
from fleet.command.output import show_json, show_line, show_table
from fleet.direct import opened

if TYPE_CHECKING:
    from pathlib import Path

    from storage.core.unit_of_work import UnitOfWork
    from storage.orders.labels import IntentCount
    from training.record import Proof, Record, RecordedDecision


def show_record(data_dir: Path | None, *, since: str | None, model: str | None, as_json: bool) -> None:
    """Print the record of one model's decisions since a moment; of all models' where none is named."""
    from storage.orders.labels import Labels
    from training.record import judge_record

    begin = _moment(since)
    with opened(data_dir) as database, database.snapshot() as work:
        decisions, of_others = _decisions(work, begin, model)
        classified = Labels(work).classified(since=begin)
    record = judge_record(decisions)
    if as_json:
        show_json(_document(record, classified, of_others=of_others, model=model))
        return
    _show(record, classified, of_others)


def _decisions(
    work: UnitOfWork, begin: datetime | None, model: str | None
) -> tuple[list[RecordedDecision], int]:
    """The decisions about what this model read, and how many there are about what others read."""
    from statemachine.orders.intents import Level2
    from storage.orders.labels import Labels
    from tools.policies.shadow_mode import REASON
    from training.label_conversion import decision_of
    from training.record import RecordedDecision

    labels = Labels(work).given(since=begin)
    decisions = [decision_of(label) for label in labels if model in (None, label.model)]
    left_out = len(labels) - len(decisions)
    for each in Labels(work).unconfirmed(REASON, since=begin):
        if model not in (None, each.model):
            left_out += each.amount
            continue
        one = RecordedDecision(predicted=Level2(each.level2), automatic=True, level2=None)
        decisions += [one] * each.amount
    return decisions, left_out


def _show(record: Record, classified: list[IntentCount], of_others: int) -> None:
    alone = sum(each.amount for each in classified if each.alone)
    everything = sum(each.amount for each in classified)
    seen = record.overall.count
    show_line(
        f"answers read {everything}, carried out unseen {alone}, decided by people and on record {record.count}"
    )
    if alone + seen:
        show_line(
            f"of what is or would be automatic, {seen / (alone + seen):.1%} was put before a person in shadow mode"
        )
    if of_others:
        show_line(f"left out: {of_others} decisions about what other models read (--all-models counts them)")
    show_table(
        ("intent", "seen", "right", "right level 1", "precision", "95 % interval", "99 % proven"),
        [_row(proof) for proof in (*record.proofs, record.overall)],
        title="what would have been automatic",
    )
    if record.sent_to_people:
        show_line(
            f"sent to people anyway: {record.sent_to_people}, of which the model had read "
            f"{record.sent_right} as the person did"
        )
    wrong = sorted(
        ((pair, count) for pair, count in record.confusion.items() if pair[0] != pair[1]),
        key=lambda row: (-row[1], row[0]),
    )
    if wrong:
        show_table(
            ("the person", "the model", "times"),
            [(truth or "chose no intent", read, count) for (truth, read), count in wrong],
            title="confusion",
        )


def _row(proof: Proof) -> tuple[object, ...]:
    precision = "–" if proof.precision is None else f"{proof.precision:.4f}"
    proven = "yes" if proof.is_proven else f"no, {proof.still_needed} more right ones are needed"
    return (
        proof.level2.value if proof.level2 else "all",
        proof.count,
        proof.right,
        proof.right_level1,
        precision,
        f"{proof.low:.4f}–{proof.high:.4f}",
        proven,
    )


def _document(
    record: Record, classified: list[IntentCount], *, of_others: int, model: str | None
) -> dict[str, Any]:
    return {
        "model": model,
        "answers_read": sum(each.amount for each in classified),
        "carried_out_unseen": {each.level2: each.amount for each in classified if each.alone},
        "on_record": record.count,
        "of_other_models": of_others,
        "automatic": [
            {**asdict(proof), "precision": proof.precision, "proven": proof.is_proven}
            for proof in (*record.proofs, record.overall)
        ],
        "sent_to_people": record.sent_to_people,
        "sent_right": record.sent_right,
        "confusion": [
            {"person": truth or None, "model": read, "times": count}
            for (truth, read), count in sorted(record.confusion.items())
        ],
    }


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError("--since is no moment such as 2026-11-01 or 2026-11-01T08:00+08:00", 2) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
