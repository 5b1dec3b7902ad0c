"""Numbers and codes that look like the ones they replace: digits for digits, letters for letters.

Where a range is reserved for fiction or tests the surrogate is in it, so that no real number is
made: SSN areas 900-999 with groups never given out, 555-01xx telephone numbers, card numbers of
an industry that issues no payment cards, IBANs with check digits that no bank uses.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from scrubjay.operators import Scene
from scrubjay.operators.ledger import Dice, pick

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # no I, O, Q: they read as digits, and a VIN has none
SHORTEST = 2  # a single character has too few others

Make = Callable[[str, Dice], str]


def shaped(value: str, kind: str, scene: Scene) -> str:
    """The surrogate of a number or code, in the value's form; empty where there is none."""
    core = "".join(c for c in value if c.isalnum())
    if len(core) < SHORTEST:
        return ""
    make = SHAPES.get(kind, _shape)
    told = pick(scene, "id" if make is _shape else kind, core, lambda load, _: make(core, load))
    return dress(value, told) if told else ""


def dress(value: str, core: str) -> str:
    """The core's characters in the places and the case of the value's letters and digits."""
    left = iter(core.lower() if value.islower() else core)
    if value.islower() or value.isupper():
        return "".join(next(left, "") if c.isalnum() else _plain(c) for c in value)
    return "".join(_cased(c, next(left, "")) if c.isalnum() else _plain(c) for c in value)


def _cased(old: str, new: str) -> str:
    return new.lower() if old.islower() else new.upper()


def _plain(character: str) -> str:
    """Punctuation stays. What is no letter, digit or known mark could tell something, and goes."""
    return character if character.isascii() or character.isspace() or character in "–—№°" else ""


def _shape(core: str, load: Dice) -> str:
    first = load.one(DIGITS[1:]) if core[0] in DIGITS[1:] else ""
    return first + "".join(
        load.one(DIGITS if c.isdigit() else CAPITALS) for c in core[len(first) :]
    )


def _ssn(core: str, load: Dice) -> str:
    """Area 900-999 is for ITINs, of which no group is under 50: nobody has this number."""
    if len(core) != 9 or not core.isdigit():
        return _shape(core, load)
    return f"9{load.below(100):02}{1 + load.below(49):02}{1 + load.below(9999):04}"


def _card(core: str, load: Dice) -> str:
    """ISO/IEC 7812-1: industry 9 is left to national bodies, which issue no payment cards."""
    if len(core) < 8 or not core.isdigit():
        return _shape(core, load)
    body = "9" + "".join(load.one(DIGITS) for _ in core[2:])
    return body + _luhn(body)


def _luhn(body: str) -> str:
    doubled = sum(sum(divmod(2 * int(d), 10)) for d in body[::-2])
    return str(-(doubled + sum(map(int, body[-2::-2]))) % 10)


def _iban(core: str, load: Dice) -> str:
    """The country stays; ISO 7064 check digits are 02 to 98, never 00."""
    if len(core) < 9 or not (core[:2].isascii() and core[:2].isalpha()):
        return _shape(core, load)
    return core[:2].upper() + "00" + _shape(core[4:], load)


def _mac(core: str, load: Dice) -> str:
    """Locally administered and unicast: the second hexadecimal digit is 2, 6, A or E."""
    return (
        load.one("0123456789ABCDEF")
        + load.one("26AE")
        + "".join(load.one("0123456789ABCDEF") for _ in core[2:])
    )


SHAPES: dict[str, Make] = {"SSN": _ssn, "CREDIT_CARD": _card, "IBAN": _iban, "MAC": _mac}


AREAS = """
    201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239
    240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312
    313 314 315 316 317 318 319 320 321 323 330 334 336 337 352 360 361 386 401 402 404 405 406 407
"""


def phone(value: str, scene: Scene) -> str:
    """In a range kept for fiction in the USA and Canada, Britain and France; of the same length,
    with the same country code, elsewhere."""
    core = "".join(re.findall("[0-9]", value))
    if len(core) < 3:
        return shaped(value, "PHONE", scene)
    lead, rest = _country(value, core)

    def draw(load: Dice, attempt: int) -> str:
        return _fictional(lead, rest, load, attempt)

    told = pick(scene, "PHONE", (lead if lead != "1" else "") + rest, draw) if rest else ""
    return _dressed(value, lead + told) if told else ""


def _country(value: str, core: str) -> tuple[str, str]:
    """Country code and the rest. +1 may be left out, so that it makes no other number."""
    if len(core) == 11 and core[0] == "1":
        return "1", core[1:]
    if "+" in value or core.startswith("00"):
        skip = 0 if "+" in value else 2
        cut = skip + next((n for n, codes in CODES if core[skip : skip + n] in codes), 3)
        return core[:cut], core[cut:]
    return "", core


CODES = (
    (1, frozenset("17")),
    (
        2,
        frozenset(
            str(n)
            for n in (20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59),
                      *range(60, 67), 81, 82, 84, 86, *range(90, 96), 98)
        ),
    ),
)  # fmt: skip


def _fictional(lead: str, rest: str, load: Dice, attempt: int) -> str:
    american = lead in ("", "1", "001") and len(rest) >= 10 and rest[0] > "1" and rest[3] > "1"
    if american:
        return _american(load, attempt) + "".join(load.one(DIGITS) for _ in rest[10:])
    if lead == "" and len(rest) == 7 and attempt < 8:
        return f"55501{load.below(100):02}"
    for start, length in FICTION.get(lead.removeprefix("00"), ()) if attempt < 16 else ():
        if len(rest) == length and rest.startswith(start[: 1 if lead else 2]):
            return start + "".join(load.one(DIGITS) for _ in rest[len(start) :])
    return _shape(rest, load)


def _american(load: Dice, attempt: int) -> str:
    """555-01xx with an area code; when that runs short, area code 555, which no area has."""
    if attempt < 16:
        return f"{load.one(AREAS.split())}55501{load.below(100):02}"
    return f"555{2 + load.below(8)}{load.below(10**6):06}"


# Ofcom, telephone numbers for drama; ARCEP, numbering plan, numbers for audiovisual works. Each
# with the length of numbers of its kind.
FICTION = {
    "44": (("7700900", 10), ("2079460", 10), ("1632960", 10)),
    "": (("07700900", 11), ("02079460", 11), ("01632960", 11), ("019900", 10), ("063998", 10)),
    "33": (("19900", 9), ("63998", 9)),
}
SPOKEN = frozenset(("x", "ext", "extn", "extension", "tel", "phone", "fax", "cell", "mobile"))


def _dressed(value: str, digits: str) -> str:
    """The digits in the value's places. Letters but those of `ext` spell a number, and go."""
    left = iter(digits)
    parts = re.findall(r"[^\W\d_]+|.", value, re.S)
    return "".join(_phone_part(part, left) for part in parts)


def _phone_part(part: str, left: Iterator[str]) -> str:
    if part.isdigit():
        return next(left, "") if part in DIGITS else ""
    if part.isalpha():
        return part if part.casefold() in SPOKEN else "X" * len(part)
    return _plain(part)


ADDRESS = re.compile(
    r"\s*\[?([0-9.]{7,15}|[0-9A-Fa-f:.]+)\]?(%\w+)?(:[0-9]+|/[0-9]+)?\s*", re.ASCII
)


def address(value: str, scene: Scene) -> str:
    """An IP address of the documentation ranges (RFC 5737, RFC 3849); when those of IPv4 are used
    up, of the benchmarking range (RFC 2544) and then of the reserved one (RFC 1112)."""
    match = ADDRESS.fullmatch(value)
    try:
        real = ipaddress.ip_address(match[1]) if match else None
    except ValueError:
        real = None
    if real is None or match is None:
        return shaped(value, "IP", scene)
    told = pick(scene, "IP", str(real), _ip4 if real.version == 4 else _ip6)
    return value.replace(match[1], told).replace(match[2] or "\0", "") if told else ""


def _ip4(load: Dice, attempt: int) -> str:
    if attempt < 16:
        return f"{load.one(['192.0.2', '198.51.100', '203.0.113'])}.{1 + load.below(254)}"
    start, size = ("198.18.0.0", 2**17) if attempt < 32 else ("240.0.0.0", 2**27)
    return str(ipaddress.IPv4Address(start) + load.below(size))


def _ip6(load: Dice, attempt: int) -> str:
    return str(ipaddress.IPv6Address("2001:db8::") + load.below(2**96))
