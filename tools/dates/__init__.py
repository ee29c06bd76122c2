"""Finds future dates in a customer's Chinese words; returns nothing rather than a guess."""

from tools.dates.parser import date_spans, parse
from tools.dates.reading import Ambiguity, Ambiguous, DateReading, NoDate, Precision

__all__ = ["Ambiguity", "Ambiguous", "DateReading", "NoDate", "Precision", "date_spans", "parse"]
