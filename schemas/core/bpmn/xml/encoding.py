"""The text of an XML file: its bytes by the mark at their beginning, or by the encoding that they declare."""

import codecs
import re
from typing import Final

from schemas.core.bpmn.problems import BpmnProblem, RejectedBpmn

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED: Final = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
"""UTF-16 without a mark begins with `<` all the same."""
_DECLARATION: Final = re.compile(r"""\A<\?xml\b[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_CODECS: Final = {
    **{
        name: name
        for name in ("utf-8", "utf-16", "ascii", "big5", "big5hkscs", "shift_jis", "euc_jp", "euc_kr")
    },
    **{name: name for name in ("koi8-r", "koi8-u", "cp932", *(f"cp125{number}" for number in range(9)))},
    **{f"iso8859-{number}": f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))},
    # What says GB 2312 or GBK often holds what only GB 18030 has; it reads both.
    **dict.fromkeys(("gb2312", "gbk", "gb18030"), "gb18030"),
}
"""The encodings that are read; in each of them a declaration reads as in ASCII, or the bytes show that it is UTF-16."""


def decoded(text: bytes) -> str:
    """The characters of a file.

    Raises:
        RejectedBpmn: Its encoding is not known, is another than it declares, or does not fit its bytes.
    """
    mark, shown = next(((mark, name) for mark, name in _MARKS if text.startswith(mark)), (b"", None))
    shown = shown or next((name for begin, name in _UNMARKED if text.startswith(begin)), None)
    head = text[len(mark) : len(mark) + 400].decode(shown or "latin-1", errors="replace")
    declaration = _DECLARATION.match(head)
    declared = declaration.group(1) if declaration else None
    codec = _codec(declared) if declared is not None else "utf-8"
    if shown is not None and declared is not None and not shown.startswith(codec):
        raise _rejected(f"the file declares {declared}, but its first bytes are those of {shown.upper()}")
    if shown is None and codec == "utf-16":
        raise _rejected(f"the file declares {declared}, but its bytes are not UTF-16")
    codec = shown or codec
    try:
        return text[len(mark) :].decode(codec)
    except UnicodeDecodeError as error:
        line = text.count("\n".encode(codec), 0, len(mark) + error.start) + 1
        raise _rejected(
            f"the bytes are not {declared or codec.upper()}; declare the encoding of the file", line
        ) from None


def _codec(declared: str) -> str:
    try:
        return _CODECS[codecs.lookup(declared).name]
    except (LookupError, UnicodeError):
        raise _rejected(f"the encoding {declared} is not read; save the file in UTF-8") from None


def _rejected(message: str, line: int = 1) -> RejectedBpmn:
    return RejectedBpmn(BpmnProblem(message=message, line=line))
