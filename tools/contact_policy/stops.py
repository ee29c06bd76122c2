"""Emergency stops of contacts, and which contacts each one holds back."""

from dataclasses import dataclass
from typing import Final

from schemas.orders.contact import Channel

_ENDINGS: Final = (
    "特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "自治州", "新区", "地区",
    "省", "市", "区", "县", "盟", "旗",
)  # fmt: skip
"""How the names of regions end; the longer before those they hold."""

_SHORTEST_NAME: Final = 2


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """A stop in force; a channel or region that is None means all of them."""

    channel: Channel | None
    region: str | None
    reason: str

    def covers(self, channel: Channel, region: str | None) -> bool:
        """Whether it holds back a contact by this channel of an order in this region."""
        return self.channel in (None, channel) and self.covers_region(region)

    def covers_region(self, region: str | None) -> bool:
        """Whether it holds back orders of this region; an order without a region is in no region's stop.

        The order's region begins with the stop's, endings aside: a stop of 上海市 holds 上海, 上海市浦东新区 and
        上海浦东新区, one of 朝阳区 does not hold 朝阳市.
        """
        if self.region is None:
            return True
        if region is None:
            return False
        name, ending = _parted(self.region)
        written = region.strip()
        if not written.startswith(name):
            return False
        begins = next((each for each in _ENDINGS if written[len(name) :].startswith(each)), "")
        return not ending or begins in ("", ending)


def _parted(region: str) -> tuple[str, str]:
    """The name of a region and its ending, which may be missing."""
    for ending in _ENDINGS:
        name = region.removesuffix(ending)
        if name != region and len(name) >= _SHORTEST_NAME:
            return name, ending
    return region, ""
