"""The business calendar: public holidays, make-up working days, and how far official data reaches."""

from tools.calendar.business import Calendar, HorizonWarning
from tools.calendar.document import load_calendar
from tools.calendar.festivals import Festival
from tools.calendar.overrides import DayKind, Override
from tools.calendar.statutory import UnknownCountryError

__all__ = [
    "Calendar",
    "DayKind",
    "Festival",
    "HorizonWarning",
    "Override",
    "UnknownCountryError",
    "load_calendar",
]
