"""Dates in the customer's own Chinese words: forward-looking, and nothing rather than a guess."""

from tools.dates.parser import parse
from tools.dates.reading import Ambiguity, Ambiguous, DateReading, NoDate, Precision

__all__ = ["Ambiguity", "Ambiguous", "DateReading", "NoDate", "Precision", "parse"]
