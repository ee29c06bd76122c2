"""What a press of a card's button comes to: once, as its owner, by the one way in which questions are answered."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

from schemas.access.roles import scopes_of
from schemas.access.scopes import Scope
from storage.access.idempotency import IdempotencyKeys, Kept
from storage.access.im_identities import ImIdentities, ImOwner
from storage.access.system_audit import SystemAudit
from storage.access.users import Users
from storage.core.database import Database
from tasks.im.tokens import CardChoice, CardTokens, TokenFault
from tasks.people.continuing import NOT_ALLOWED, Decided, Respondent

_ANSWERED: Final = "im.answered"
_REFUSED: Final = "im.refused"
_DONE: Final = 200

_SETTLED: Final = frozenset({Decided.APPLIED, Decided.REPEATED, Decided.OTHERWISE, Decided.UNKNOWN})
"""After these nobody needs the buttons any more."""
_STANDS: Final = frozenset({Decided.APPLIED, Decided.COUNTED, Decided.REPEATED})
_UNBOUND: Final = "这个账号还没有绑定：请登录后取得绑定码，发给机器人"
_NO_RIGHT: Final = "您的角色不能回答这个问题"
_TOO_LATE: Final = "这张卡片已过期，请登录后处理"
_FORGED: Final = "这个按钮无效"
_OTHER_PRESS: Final = "没有收到这次点击，请再点一次"
_UNDER_WAY: Final = "正在处理，请稍候"
_AS_IT_STANDS: Final = "现在的状态不允许这样决定，请登录后查看"
_WORDS: Final[Mapping[Decided, str]] = MappingProxyType(
    {
        Decided.APPLIED: "{me} 已决定：{label}",
        Decided.COUNTED: "{me} 的意见已记下：{label}。还需要其他人同意",
        Decided.CLAIMED: "{holder} 正在处理这个问题",
        Decided.OWN: "申请人不能批准自己的申请，请由其他人决定",
        Decided.NOT_THEIRS: "这个问题由其他人或其他角色回答",
        Decided.BARRED: "您已参与过这个流程，请由其他人回答",
        Decided.NEWS: "客户后来又联系过我们，请登录后查看再决定",
        Decided.UNKNOWN: "这个问题已不存在",
    }
)


class AnsweredQuestion(Protocol):
    """A question as it stands after an answer."""

    @property
    def state(self) -> str:
        """`open`, `decided` or `cancelled`."""

    @property
    def decided_by(self) -> str | None:
        """Whose answer decided it."""

    @property
    def claimed_by(self) -> str | None:
        """Who has taken it."""


Continue = Callable[[str, Mapping[str, Any], Respondent, int], tuple[Decided, AnsweredQuestion | None]]
"""`tasks.people.continuing.continue_with`: the question, the payload, who answers, and what was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A verified press of a button."""

    provider: str
    event_id: str
    """Names the press among all of this messenger."""
    operator_id: str
    value: str


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """What the card shows from now on."""

    text: str
    is_settled: bool = False
    """Whether the question needs no answer any more."""


@dataclass(frozen=True, slots=True)
class CardPresses:
    """Answers presses, each once."""

    database: Database
    tokens: CardTokens
    continue_with: Continue

    def answer(self, press: Press, now: float) -> CardAnswer:
        """What a press comes to; the same one again gets the same answer, and changes nothing."""
        event = f"im:{press.provider}"
        digest = hashlib.sha256(json.dumps([press.operator_id, press.value]).encode()).digest()
        with self.database.transaction() as work:
            claim = IdempotencyKeys(work).begin(event, press.event_id, digest)
        if isinstance(claim, Kept):
            return _again(claim)
        answer = self._answer(press, now)
        with self.database.transaction() as work:
            body = json.dumps([answer.text, answer.is_settled], ensure_ascii=False)
            IdempotencyKeys(work).store(claim, _DONE, body, {})
        return answer

    def _answer(self, press: Press, now: float) -> CardAnswer:
        """The first answer to a press: is it our button, whose is the account, and what may they do?"""
        choice = self.tokens.read(press.value, now)
        if isinstance(choice, TokenFault):
            return CardAnswer(_TOO_LATE if choice is TokenFault.EXPIRED else _FORGED)
        with self.database.transaction() as work:
            owner = ImIdentities(work).owner(press.provider, press.operator_id)
        if owner is None:
            return CardAnswer(_UNBOUND)
        if Scope.REVIEWS not in scopes_of(owner.roles):
            return CardAnswer(_NO_RIGHT)
        by = Respondent(name=owner.login, roles=frozenset(owner.roles), has_login=True)
        try:
            outcome, question = self.continue_with(choice.interrupt_id, choice.payload, by, choice.seen)
        except NOT_ALLOWED:
            self._note(press, choice, owner, "not_allowed", stands=False)
            return CardAnswer(_AS_IT_STANDS)
        self._note(press, choice, owner, outcome.value, stands=outcome in _STANDS)
        return CardAnswer(self._words(outcome, question, owner, choice), outcome in _SETTLED)

    def _words(
        self, outcome: Decided, question: AnsweredQuestion | None, owner: ImOwner, choice: CardChoice
    ) -> str:
        if question is not None and outcome in (Decided.REPEATED, Decided.OTHERWISE):
            if question.state != "decided":
                return "这个问题已撤回，不再需要回答"
            return f"已由 {self._name(question.decided_by)} 决定"
        holder = self._name(question.claimed_by) if question is not None else ""
        return _WORDS[outcome].format(me=owner.name, label=choice.label, holder=holder)

    def _name(self, login: str | None) -> str:
        """The name that others read of whoever has this login."""
        if login is None:
            return "其他人"
        with self.database.transaction() as work:
            user = Users(work).find(login)
        return login if user is None else user.name

    def _note(self, press: Press, choice: CardChoice, owner: ImOwner, outcome: str, *, stands: bool) -> None:
        """Write by which way somebody answered; what it did stands in the history of the question."""
        detail = {
            "interrupt_id": choice.interrupt_id,
            "provider": press.provider,
            "event_id": press.event_id,
            "outcome": outcome,
        }
        with self.database.transaction() as work:
            SystemAudit(work).write(owner.login, _ANSWERED if stands else _REFUSED, detail)


def _again(kept: Kept) -> CardAnswer:
    """The answer to a press whose event came before."""
    if not kept.same:
        return CardAnswer(_OTHER_PRESS)
    if kept.status is None:
        return CardAnswer(_UNDER_WAY)
    text, is_settled = json.loads(kept.body)
    return CardAnswer(text, is_settled)
