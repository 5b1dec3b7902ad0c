r"""A regex over characters as a regex over UTF-8 bytes that matches at least as much.

An automaton over bytes is many times smaller than one that knows UTF-8. Single characters become
their exact bytes; a class that holds non-ASCII characters becomes its ASCII part or any longer
character. What that lets in too much, RE2 sorts out afterwards: `exact` says when it need not.
"""

from __future__ import annotations

import re

ATOM = re.compile(
    r"\\x\{([0-9A-Fa-f]+)\}"  # 1: a code point
    r"|\\[pP]\{[^}]*\}|\\[pP]\w"
    r"|\[\^?\]?(?:\\x\{[0-9A-Fa-f]+\}|\\.|[^\]\\])*\]"
    r"|\\.|\(\?[a-z:]*|.",
    re.DOTALL,
)
_ITEM = re.compile(
    r"(\\x\{[0-9A-Fa-f]+\}|\\.|[^\\])(?:-(\\x\{[0-9A-Fa-f]+\}|\\.|[^\\\]]))?", re.DOTALL
)
_NEGATIVE = {r"\D", r"\W", r"\S"}
_OPEN = {  # these match longer characters too; here, what they match in ASCII
    r"\D": r"\x00-/:-\x7f",
    r"\W": r"\x00-/:-@\[-\^`{-\x7f",
    r"\S": r"\x00-\x08\x0b\x0e-\x1f!-\x7f",
    ".": r"\x00-\x09\x0b-\x7f",
}


def bytewise(regex: str, ignore_case: bool) -> tuple[str, bool]:
    """The byte regex, and whether it matches exactly the same."""
    inline = "(?i" in regex
    pieces, exact = [], True
    for token in ATOM.finditer(regex):
        longer = _class(token[0])
        code = _code(token[0])
        if longer is not None:
            exact = False
            pieces.append(_either(longer, regex[token.end() : token.end() + 1]))
        elif code is not None and code > 127:
            pieces.append(_character(chr(code), ignore_case or inline))
            exact = exact and not inline
        else:
            pieces.append(token[0])
    return "".join(pieces), exact


def _either(inside: str, quantifier: str) -> str:
    """A character of an ASCII class or any longer one. A run of them may take bytes one by one."""
    if quantifier in {"+", "*"}:
        return rf"[{inside}\x80-\xff]"
    one = rf"[{inside}\xc2-\xf4][\x80-\xbf]*"
    return f"(?:{one})" if quantifier in {"?", "{"} else one


def _class(token: str) -> str | None:
    """The ASCII inside of a class that holds longer characters too; None for all else."""
    if token in _OPEN:
        return _OPEN[token]
    if token[:2] in {r"\p", r"\P"}:
        return r"\x00-\x7f"
    if not token.startswith("[") or len(token) < 3:
        return None
    negated = token.startswith("[^")
    kept, longer = [], negated
    for item in _ITEM.finditer(token[2 if negated else 1 : -1]):
        first, last = _code(item[1]), _code(item[2]) if item[2] else None
        longer = longer or (first or 0) > 127 or (last or 0) > 127 or item[1] in _NEGATIVE
        if (first or 0) <= 127:
            spelt = r"\-" if item[0] == "-" else item[0]  # more may be written after it
            kept.append(rf"{item[1]}-\x7f" if (last or 0) > 127 else spelt)
    if not longer:
        return None
    return _rest(kept) if negated else "".join(kept)


def _rest(excluded: list[str]) -> str:
    """The ASCII characters outside a negated class, spelt out."""
    inside = re.compile(f"[{''.join(excluded)}]")
    return "".join(rf"\x{code:02x}" for code in range(128) if not inside.match(chr(code)))


def _code(item: str) -> int | None:
    """The code point that a token stands for, if it is one character."""
    if item.startswith(r"\x{"):
        return int(item[3:-1], 16)
    return ord(item) if len(item) == 1 else None


def _character(char: str, ignore_case: bool) -> str:
    forms = {char, char.lower(), char.upper()} if ignore_case else {char}
    spelt = ["".join(f"\\x{byte:02x}" for byte in form.encode()) for form in sorted(forms)]
    return f"(?:{'|'.join(spelt)})"


def takes(token: str, char: str) -> bool:
    """Whether an atom of a regex matches this ASCII character."""
    if token[:2] in {r"\p", r"\P"}:
        return token[1] == "P"
    if len(token) == 1:
        return token in {char, "."} and char != "\n"
    if token.startswith("[") or token in {r"\n", r"\s", r"\S", r"\d", r"\D", r"\w", r"\W", r"\t"}:
        spelt = re.sub(r"\\x\{([0-9A-Fa-f]+)\}", lambda m: f"\\U{int(m[1], 16):08x}", token)
        return re.fullmatch(spelt, char) is not None
    return (
        token == f"\\{char}" or _code(token) == ord(char) or token.lower() == f"\\x{ord(char):02x}"
    )
