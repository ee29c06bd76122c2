"""The lengths of the lunar months around the Spring Festival.

The festival itself is a day off, which the `holidays` library knows; from it the days of its two months are counted.
The lengths are those of the calendar that GB/T 33661-2017 (农历的编算和颁行) fixes. The packages lunardate 0.3.0 and
borax 4.1.3, each with a table of its own, agree on every year here.
"""

from typing import Final

KNOWN: Final = range(2024, 2051)
"""Years whose months are listed."""

LONG_FIRST: Final = frozenset(
    {2025, 2026, 2027, 2028, 2029, 2032, *range(2035, 2041), *range(2044, 2048), 2049}
)
"""Years whose 正月 has 30 days; else it has 29."""

LONG_TWELFTH: Final = frozenset({2024, 2030, *range(2033, 2039), *range(2042, 2049)})
"""Years whose Spring Festival follows a 腊月 of 30 days; else it has 29, and 除夕 is the 29th."""
