"""Removes dates that give a reason, not the time asked for: 周一到周五上班，周末在; 货后天到，大后天来装."""

import re
from dataclasses import replace
from typing import Final

from tools.dates.candidate import Candidate
from tools.dates.context import CLAUSE_END
from tools.dates.reading import Precision
from tools.dates.refusal import SUBJECT

_KEPT_BUSY: Final = re.compile(
    r"[^,，。;；!！?？\n]{0,4}?(?:(?P<work>(?<!不)(?<!不用)(?:上班|上课|上学)(?!时间|的?时候|以?之?[前后]))|"
    r"(?P<closed>都放假|不营业|歇业|停业|关门(?!早|晚|前|后|以)|[搞办做]活动|促销|盘点|跑业务|在外面|搬家|考试))"
)
_THING: Final = re.compile(
    r"(?:货|件|快递|机器|材料|家具|设备|东西|电器|空调|冰箱|洗衣机)[^,，。;；!！?？\n]{0,4}$"
)
_ARRIVES: Final = re.compile(
    r"(?:才|能|会|就|应该|可能|大概|可以){0,2}(?:送?到|送来|送货|到货|寄到)(?:货|家)?了?(?=$|[,，。;；!！?？\n ])"
)
_VISIT: Final = re.compile(r"[^,，。;；!！?？\n]{0,6}?(?:再|来|装|修|上门|约|弄|吧|过去)")


def without_circumstances(
    text: str, candidates: list[Candidate], excluded: list[Candidate]
) -> list[Candidate]:
    """Return the candidates without those that only explain a later one.

    Args:
        text: The text in one spelling.
        candidates: Dates the customer may mean, in the order they were said.
        excluded: Dates that were excluded.
    """
    kept: list[Candidate] = []
    confined = any(_is_weekday_range(working) for working in excluded)
    busy = [_busy(text, candidate) for candidate in candidates]
    for place, candidate in enumerate(candidates):
        other = next((kind for kind in busy[place + 1 :] if kind != busy[place]), busy[place])
        if busy[place] is not None and other != busy[place]:
            confined = confined or _is_weekday_range(candidate)
        elif not _arrives(text, candidate) or not _is_followed_by_visit(text, candidates[place:]):
            # Who works from Monday to Friday is in at the weekend only, and not from then on.
            of_week = confined and candidate.rule in ("weekday", "weekend")
            kept.append(
                replace(candidate, days=replace(candidate.days, not_before=False)) if of_week else candidate
            )
    return kept


def _busy(text: str, candidate: Candidate) -> str | None:
    """Return what kind of business keeps the customer then, None where there is none."""
    match = _KEPT_BUSY.match(text, candidate.end)
    if match is None:
        return None
    subjects = list(SUBJECT.finditer(f"{_head(text, candidate)} {text[candidate.end : match.start('work')]}"))
    return None if match["work"] and subjects and subjects[-1]["other"] else match.lastgroup


def _is_weekday_range(candidate: Candidate) -> bool:
    return candidate.rule == "weekday" and candidate.days.precision is Precision.RANGE


def _arrives(text: str, candidate: Candidate) -> bool:
    arrives = _ARRIVES.match(text, candidate.end)
    return arrives is not None and ("货" in arrives[0] or _THING.search(_head(text, candidate)) is not None)


def _is_followed_by_visit(text: str, candidates: list[Candidate]) -> bool:
    """Return whether a visit is named right after the first of them, and not for an earlier day."""
    arrival, *later = candidates[:2]
    return any(
        visit.days.earliest >= arrival.days.latest and _VISIT.match(text, visit.end) for visit in later
    )


def _head(text: str, candidate: Candidate) -> str:
    before = text[: candidate.start]
    return before[max((end.end() for end in CLAUSE_END.finditer(before)), default=0) :]
