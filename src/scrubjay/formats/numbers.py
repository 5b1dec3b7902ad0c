"""Numbers of workbooks and charts: the codes by which they are shown, and days as numbers."""

from __future__ import annotations

import datetime
import re

FORMAT = re.compile(
    r"(?:[-#0?.,%()+/*:; @$\u20ac\u00a3\u00a5ymdhsYMDHSEe]|\\[-., /()]|_.|AM/PM|A/P|General"
    r"|\[(?:Red|Blue|Green|Black|White|Yellow|Cyan|Magenta|Color\d{1,2}|[hms]{1,2}"
    r"|[<>=]{1,2}\d{1,9}|\$[^\w\[\]]?-?[0-9A-Fa-f]{0,6})\]|\"[-., /()$:]\")*"
)
_DAY = re.compile(r"\[[^\]]*\]|\"[^\"]*\"|\\.|_.|General")


def is_day(code: str) -> bool:
    """Whether a number's format shows a day."""
    return any(sign in _DAY.sub("", code).lower() for sign in "yd")


def _start(date1904: bool) -> datetime.datetime:
    return datetime.datetime(1904, 1, 1) if date1904 else datetime.datetime(1899, 12, 30)


def day(value: float, date1904: bool) -> str:
    """A day's number as a person would write it; nothing if it is none."""
    if not 1 <= value < 2_958_466:
        return ""
    whole, part = divmod(value, 1)
    shown = _start(date1904) + datetime.timedelta(days=whole, seconds=round(part * 86400))
    return shown.isoformat(" ") if part else shown.date().isoformat()


def serial(text: str, date1904: bool) -> str | None:
    """A day as a number again."""
    try:
        said = datetime.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
    value = (said - _start(date1904)) / datetime.timedelta(days=1)
    return f"{value:.10f}".rstrip("0").rstrip(".") if value >= 1 else None
