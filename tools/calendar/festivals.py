"""The statutory festivals of China, by their names in the `holidays` library."""

from enum import StrEnum, unique
from typing import Final


@unique
class Festival(StrEnum):
    """A festival with statutory days off; the value is its name in the library's zh_CN data."""

    NEW_YEAR = "元旦"
    SPRING = "春节"
    QINGMING = "清明节"
    LABOUR = "劳动节"
    DRAGON_BOAT = "端午节"
    MID_AUTUMN = "中秋节"
    NATIONAL = "国庆节"


NEW_YEARS_EVE: Final = "农历除夕"

USUAL_LENGTH: Final = {Festival.SPRING: 8, Festival.LABOUR: 5, Festival.NATIONAL: 7}
"""Days off in a row, by the notices for 2025 and 2026 at least so many.

Until the State Council's notice for a year is out, the library knows its statutory days only and no 调休;
estimated blocks are drawn out to these lengths, so that nobody is contacted on what will most likely be a
holiday.
"""
