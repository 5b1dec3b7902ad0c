"""Formulas of spreadsheets: what is said in them goes, what is calculated stays.

A formula is kept only if all of it is understood: literals, references, functions in capitals,
names and sheets of the same workbook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

LONGEST = 8192
_TOKEN = re.compile(
    r"""(?P<literal>"(?:[^"]|"")*+")
    |(?P<sheet>(?:'(?:[^']|'')++'|[^\W\d][\w.]*+)!)
    |(?P<error>\#(?:N/A|NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!))
    |(?P<number>\d+(?:\.\d*)?(?:E[+-]?\d+)?(?![\w.]))
    |(?P<cell>\$?[A-Z]{1,3}\$?\d{1,7}(?![\w(.])|\$?[A-Z]{1,3}:\$?[A-Z]{1,3}(?!\w)|\$?\d{1,7}:\$?\d{1,7})
    |(?P<call>(?:_xlfn\.|_xlws\.)*[A-Z][A-Z0-9.]{0,30}(?=\())
    |(?P<truth>(?:TRUE|FALSE)(?!\w))
    |(?P<name>[^\W\d][\w.]*)
    |(?P<sign>[-+*/^&=<>(),;:{}%@\s])""",
    re.VERBOSE,
)


def literals(text: str) -> list[str]:
    """What the formula says in quotes."""
    return [_said(m[0]) for m in _TOKEN.finditer(text) if m.lastgroup == "literal"]


def written(
    text: str, said: Callable[[str], str], sheets: Mapping[str, str], names: Mapping[str, str]
) -> str | None:
    """The formula with other literals, sheets and names; None if not all of it is understood."""
    if len(text) > LONGEST:
        return None
    parts: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        part = _part(match, said, sheets, names) if match else None
        if match is None or part is None:
            return None
        parts.append(part)
        at = match.end()
    return "".join(parts)


def _part(
    match: re.Match[str],
    said: Callable[[str], str],
    sheets: Mapping[str, str],
    names: Mapping[str, str],
) -> str | None:
    token = match[0]
    if match.lastgroup == "literal":
        return '"' + said(_said(token)).replace('"', '""') + '"'
    if match.lastgroup == "sheet":
        sheet = token[:-1]
        sheet = sheet[1:-1].replace("''", "'") if sheet[0] == "'" else sheet
        new = sheets.get(sheet.casefold())
        return None if new is None else "'" + new.replace("'", "''") + "'!"
    if match.lastgroup == "name":
        return names.get(token.casefold())
    return token


def _said(literal: str) -> str:
    return literal[1:-1].replace('""', '"')
