"""What is kept of reports that arrive after a customer was erased: result and time only."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runtime.blind_index import BlindIndex
from runtime.phone import normalise
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.callbacks import Callbacks
from storage.orders.contacts.contacts import Contacts
from storage.orders.upkeep.privacy import Privacy
from tools.channels.callbacks import ByNumber, CallbackReport
from tools.channels.contract import ContactReport

_NOTHING: Final = "{}"


def as_kept(work: UnitOfWork, report: ContactReport) -> ContactReport:
    """A late report as it may be kept; of an erased order without words and recording, its callback blanked.

    Whoever asks holds the lock of the order's run, so that no erasure comes between.
    """
    if not Callbacks(work).forget_erased(report.key):
        return report
    return replace(report, transcript="", recording_url=None)


def without_bodies_of_forgotten(
    work: UnitOfWork, index: BlindIndex, reported: Sequence[CallbackReport]
) -> Sequence[CallbackReport]:
    """The reports, of which those from forgotten numbers leave no body behind.

    One that answers a contact of ours is left as it is: the customer has an order again. The words of others are
    still heard, so that a wish not to be contacted holds, and are kept nowhere.
    """
    marks = {
        one.trace: index.marks(phone)
        for one in reported
        if isinstance(one.trace, ByNumber) and (phone := normalise(one.trace.number)) is not None
    }
    sought = {mark for all_of_one in marks.values() for mark in all_of_one}
    forgotten = Privacy(work).forgotten(sought) if sought else frozenset()
    if not forgotten:
        return reported
    ours = {contact.key for contact in Contacts(work).by_keys([one.report.key for one in reported])}
    return [
        replace(one, raw=_NOTHING)
        if one.report.key not in ours and one.trace in marks and not forgotten.isdisjoint(marks[one.trace])
        else one
        for one in reported
    ]
