"""What XML and HTML share: how a text stands in them, and their encodings."""

from __future__ import annotations

import re

SPECIAL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
QUOTED = SPECIAL | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
NAMESPACE = re.compile(r"(?:https?://|urn:|[a-z]{2,12}:)?[\w./:#?=~-]*", re.A)
ENCODINGS = re.compile(
    r"utf-?8|(?:us-)?ascii|iso-?8859-\d{1,2}|latin-?1|(?:windows-|cp)(?:125\d|874)|koi8-[ru]|gbk|"
    r"gb2312|gb18030|big5|euc-(?:jp|kr)|shift_jis|macintosh|tis-620",
    re.I,
)


def escape(text: str, table: dict[int, str] = SPECIAL) -> str:
    """As it may stand in a file."""
    return text.translate(table)
