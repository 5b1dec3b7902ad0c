"""Is it a secret, or a word, a placeholder, a piece of program?"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from itertools import pairwise

from scrubjay.detectors.checks.crypto import bech32

_FILLER = re.compile(
    r"[*xX.#_\-\u2022?0]+"  # masked
    r"|[<\[({%$@`].*|.*[<>{}()\[\]`$]{2}.*|.*\$\{.*"  # templates and calls
    r"|(?:your|my|the|some|insert|enter|change|replace|put|add)[_ -].*|.*[_-]here",
    re.IGNORECASE | re.DOTALL,
)
_CODE = re.compile(
    r"[a-z_]\w*(?:(?:\.|->|::)[a-z_]\w*)*(?:\(.*|\[.*)"  # a call or an index
    r"|[a-z_]\w{0,24}(?:\.[a-z_]\w{0,24})+"  # an attribute
    r"|(?:os|process|env|self|this|config|settings|args|request|params?|ctx|secrets|vault|data)"
    r"[.\[].*",
    re.IGNORECASE,
)
_TALK = """
    required reset optional none null nil true false yes no undefined string str text bytes int
    integer varchar char bool boolean object any hidden masked redacted removed secret password
    passwort passwd pass pwd passphrase passcode token incorrect invalid wrong missing expired
    changed change forgot forgotten forget protected protection policy manager field input type
    value empty blank default example placeholder test todo tbd na n/a unknown not must should
    cannot can may will is was has a an the and or to for of in on if your my please enter see
    same different username user login email name date failed ok valid confirm confirmation
    strength strong weak encrypted hash hashed plaintext private public self this env prompt
    requis obligatoire obligatorio erforderlich vergessen olvidada incorrecta stdin file only
    key auth authentication authorization basic bearer pending
    optional[str] args val acct expected actual kwargs
"""
_WORDS = frozenset(_TALK.split())
_NAME = re.compile(r"[A-Za-z_]*(?:_?pass(?:word|wd)?|_?pwd|_?secret|_?token|_?key)[A-Za-z_]*")


def password(value: str) -> bool | float:
    """What stands after "password:". A plain word counts unless it is one that talks about it."""
    if not 3 <= len(value) <= 128 or _placeholder(value) or value.lower() in _WORDS:
        return False
    if _CODE.fullmatch(value) or _NAME.fullmatch(value):
        return False
    return 0.6 if value.isalpha() and value.islower() else True


def password_bare(value: str) -> bool:
    """Summer2024!: capitals, small letters and digits, where only "password" stands before it."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return 6 <= len(value) <= 64 and all(any(map(kind, value)) for kind in kinds)


def password_in_prose(value: str) -> bool:
    """What stands after "the password is": no word of a sentence, so something besides letters."""
    mixed = re.search(r"\d|[A-Za-z][!@#$%^&*_+=]|[!@#$%^&*_+=][A-Za-z]", value)
    return bool(mixed) and password(value) is not False


def token(value: str) -> bool:
    """Something that a machine made: letters and digits mixed, no name from a program."""
    if not 8 <= len(value) <= 4096 or _placeholder(value) or _CODE.fullmatch(value):
        return False
    return _mixed(value) and _entropy(value) >= 2.8


def random(value: str) -> bool:
    """As `token`, for values whose prefix says enough: only fillers and words are refused."""
    words = re.fullmatch(r"[A-Za-z]{1,15}(?:[-_.][A-Za-z]{1,15})+|[a-z]+", value)
    return len(value) >= 18 and _entropy(value) >= 2.8 and not words


def aws_secret(value: str) -> bool:
    """Forty characters of base64."""
    return len(value) == 40 and random(value)


def _placeholder(value: str) -> bool:
    return _FILLER.fullmatch(value) is not None or len(set(value)) < 3


def _mixed(value: str) -> bool:
    digits = sum(map(str.isdigit, value))
    turns = sum(a.isupper() != b.isupper() for a, b in pairwise(value))
    padded = value.endswith("=") and len(value) >= 12
    return digits >= 2 or padded or (len(value) >= 16 and turns > len(value) / 3)


def _entropy(value: str) -> float:
    """Bits for each character (Shannon)."""
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares)


def jwt(value: str) -> bool:
    """The header is JSON and names an algorithm."""
    head = value.split(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(header, dict) and "alg" in header


def age(value: str) -> bool:
    """Bech32; age writes it in capitals."""
    return bech32(value)


def password_hash(value: str) -> bool:
    """Long enough to be one."""
    return len(value) >= 20 and _entropy(value) > 2.5


def url_password(value: str) -> bool | float:
    """The password between the colon and the last @ of the authority is not a placeholder."""
    authority = value.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0]
    login, _, host = authority.rpartition("@")
    secret = login.partition(":")[2]
    if not host or _placeholder(secret) or secret.lower() in {"pass", "passwd", "pw"}:
        return False
    return 0.6 if secret.lower() in {"password", "secret"} else True


def pairs(value: str) -> bool:
    """The password of a list of pairs is not a placeholder."""
    told = re.search(r"(?:password|pwd|key)\s*=\s*([^;&\s]+)", value, re.IGNORECASE)
    return told is None or not _placeholder(told[1])
