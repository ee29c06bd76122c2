"""Callbacks of providers that do not send our key back: whose contact it is, then the same way as every report."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine.engine import Engine
from runtime.blind_index import BlindIndex
from runtime.phone import Phone, normalise
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.traces import ContactTraces
from tasks.orders.inbound.callbacks import Callback, Heard, hear
from tasks.orders.inbound.messages import hear_inbound
from tasks.orders.rules.context import Context
from tasks.orders.rules.forgotten import without_bodies_of_forgotten
from tools.channels.callbacks import ByNumber, ByReference, CallbackReport
from tools.channels.reference import extend_code_of


@dataclass(frozen=True, slots=True)
class Post:
    """What one callback reported, in its order, and who called."""

    provider: str
    reported: Sequence[CallbackReport]
    raw: str = field(repr=False)


def hear_posts(engine: Engine, context: Context, posts: Sequence[Post]) -> list[list[Heard]]:
    """Apply callbacks, each with all its reports; what is of no contact of ours is kept all the same."""
    traces = [one.trace for post in posts for one in post.reported]
    if any(trace is not None for trace in traces):
        with context.database.looks() as work:
            posts = _with_keys(work, context.blind_index, posts)
    heard: list[list[Heard]] = [[] for _ in posts]
    for provider in dict.fromkeys(post.provider for post in posts):
        places = [place for place, post in enumerate(posts) if post.provider == provider]
        reported = [(place, one) for place in places for one in posts[place].reported]
        callbacks = [Callback(one.report, one.raw or posts[place].raw) for place, one in reported]
        answers = hear(engine, context, provider, callbacks) if callbacks else []
        for (place, one), answer in zip(reported, answers, strict=True):
            phone = _writer(one) if answer is Heard.UNKNOWN_KEY else None
            heard[place].append(
                answer if phone is None else hear_inbound(engine, context, provider, phone, one.report)
            )
    return heard


def _writer(one: CallbackReport) -> Phone | None:
    """Whose words these are, where somebody wrote of their own accord."""
    if not isinstance(one.trace, ByNumber) or not one.report.transcript.strip():
        return None
    return normalise(one.trace.number)


def _with_keys(work: UnitOfWork, index: BlindIndex, posts: Sequence[Post]) -> list[Post]:
    """The posts with every key that could be found; a stand-in is left where none could."""
    traces = [one.trace for post in posts for one in post.reported]
    keys = ContactTraces(work).by_references(
        [trace.reference for trace in traces if isinstance(trace, ByReference)]
    )
    marks = {
        trace: index.mark(phone)
        for trace in traces
        if isinstance(trace, ByNumber) and (phone := normalise(trace.number)) is not None
    }
    sent = ContactTraces(work).sent_to(list(set(marks.values())))

    def key_of(one: CallbackReport) -> str:
        match one.trace:
            case ByReference(reference):
                return keys.get(reference, one.report.key)
            case ByNumber() as reply if reply in marks:
                return (
                    _answered_by(reply, sent.get((marks[reply], reply.channel.value), ())) or one.report.key
                )
            case _:
                return one.report.key

    return [
        replace(
            post,
            reported=without_bodies_of_forgotten(
                work,
                index,
                [replace(one, report=replace(one.report, key=key_of(one))) for one in post.reported],
            ),
        )
        for post in posts
    ]


def _answered_by(reply: ByNumber, newest_first: Sequence[str]) -> str | None:
    """Which text a reply answers: the one whose code it was sent to, else the last."""
    named = [key for key in newest_first if reply.sent_to.endswith(extend_code_of(key))]
    return next(iter((*named, *newest_first)), None)
