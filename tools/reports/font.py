"""A font that has Chinese letters, among those that are installed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class ChineseFont:
    """A font file; of a collection, the place in it."""

    path: Path
    place: int = 0


_SIMPLIFIED: Final = 2
"""The place of the simplified Chinese forms in a collection of Noto's."""
_KNOWN: Final = {
    "NotoSansCJK-Regular.ttc": _SIMPLIFIED,
    "NotoSansSC-Regular.otf": 0,
    "NotoSansSC-Regular.ttf": 0,
    "SourceHanSansSC-Regular.otf": 0,
    "wqy-microhei.ttc": 0,
    "DroidSansFallbackFull.ttf": 0,
}
"""Files of free fonts by name, the best first; each with the place of the font in it."""
FOLDERS: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
"""Where systems keep fonts that everybody may read."""


def find_font(folders: Sequence[Path] = FOLDERS) -> ChineseFont | None:
    """The best of the known fonts that is installed."""
    installed = {path.name: path for folder in folders for path in sorted(folder.rglob("*.?t?"))}
    return next(
        (ChineseFont(installed[name], place) for name, place in _KNOWN.items() if name in installed), None
    )
