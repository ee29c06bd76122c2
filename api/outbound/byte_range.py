"""Ranges of bytes, as RFC 9110 §14 has them."""

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(
    r"bytes[ \t]*=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE
)


class UnsatisfiableRange(ValueError):
    """A range begins behind the end of what there is, or asks for none of it."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A piece of a content: from this byte on so many."""

    first: int
    size: int

    @classmethod
    def asked(cls, header: str | None, whole: int) -> "ByteRange | None":
        """The range that a `Range` header asks of a content of so many bytes.

        `None` where the whole is to be sent: there is no header, it asks for several pieces or in another unit, or it
        is not as the standard has it, which says that it is ignored then.

        Raises:
            UnsatisfiableRange: nothing of what is asked for is there.
        """
        found = _RANGE.fullmatch(header or "")
        if found is None:
            return None
        if found[3] is not None:
            size = min(int(found[3]), whole)
            if not size:
                raise UnsatisfiableRange
            return cls(whole - size, size)
        first = int(found[1])
        last = int(found[2]) if found[2] else whole - 1
        if found[2] and last < first:
            return None
        if first >= whole:
            raise UnsatisfiableRange
        return cls(first, min(last, whole - 1) - first + 1)

    def described(self, whole: int) -> str:
        """What `Content-Range` says of it."""
        return f"bytes {self.first}-{self.first + self.size - 1}/{whole}"
