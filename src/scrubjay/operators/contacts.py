"""E-mail and web addresses and user names: those of the surrogate person, where the name is in
them, at domains that RFC 2606 keeps for examples."""

from __future__ import annotations

import re

from scrubjay.operators import Scene, names, persons
from scrubjay.operators.ledger import Dice, dice, facts, fold, pick
from scrubjay.operators.names import Role

DOMAINS = {"org": "example.org", "net": "example.net"}
SYLLABLES = [c + v for c in "bdfgklmnprst" for v in "aeo"]


def email(value: str, scene: Scene) -> str:
    """jane.doe@clinic.org -> elena.vargas@example.org"""
    local, at, domain = value.rpartition("@")
    if not at:
        return username(value, scene)
    place = DOMAINS.get(domain.rpartition(".")[2].casefold(), "example.com")

    def draw(load: Dice, attempt: int) -> str:
        tail = "" if not attempt else str(load.below(10 ** min(attempt + 1, 9)))
        return f"{handle(local, scene)}{tail}@{place}"

    return pick(scene, "EMAIL", value, draw)


def username(value: str, scene: Scene) -> str:
    """A handle; a leading @ stays."""
    bare = value.lstrip("@")

    def draw(load: Dice, attempt: int) -> str:
        tail = "" if not attempt else str(load.below(10 ** min(attempt + 1, 9)))
        return handle(bare, scene) + tail

    found = pick(scene, "USERNAME", value, draw)
    return ("@" if value.startswith("@") else "") + found if found else ""


def handle(local: str, scene: Scene) -> str:
    """The words of a local part, each of a name or a made-up one; digits for digits."""
    known = _known(scene)
    parts = re.split(r"([._+-]+|[0-9]+)", local)
    told = [_part(part, known, scene) for part in parts if part]
    return "".join(told) or _word("user", scene)


def _part(part: str, known: dict[str, str], scene: Scene) -> str:
    if re.fullmatch(r"[._+-]+", part):
        return part
    if re.fullmatch("[0-9]+", part):
        load = dice(scene, "handle", part)
        return "".join(str(load.below(10)) for _ in part)
    folded = re.sub("[^a-z]", "", names.ascii_of(part.casefold()))
    told = _of_name(folded, known) or _by_list(folded, scene) or _word(part, scene)
    return told.upper() if part.isupper() and len(part) > 1 else told


def _of_name(word: str, known: dict[str, str]) -> str:
    """doe, jdoe, doej, janedoe and the like; a lone initial takes that of a name."""
    if word in known:
        return known[word]
    for name, new in known.items():
        rest = word.removeprefix(name) if word.startswith(name) else word.removesuffix(name)
        if len(name) > 2 and rest != word:
            other = known.get(rest) or _initial(rest, known)
            if other:
                return new + other if word.startswith(name) else other + new
    return _initial(word, known)


def _initial(letter: str, known: dict[str, str]) -> str:
    found = next((new for name, new in known.items() if name[0] == letter), "")
    return found[:1]


def _by_list(word: str, scene: Scene) -> str:
    """A name that is nowhere in the text is still a name."""
    roles = names.roles(word) if len(word) > 2 else ()
    return re.sub("[^a-z]", "", _token(word, roles[0], scene)) if roles else ""


def _token(word: str, role: Role, scene: Scene) -> str:
    return names.ascii_of(persons.token(word, role, scene)).casefold()


def _word(part: str, scene: Scene) -> str:
    load = dice(scene, "handle", fold(part))
    return "".join(load.one(SYLLABLES) for _ in range(max(1, min(len(part), 12) // 2)))


def _known(scene: Scene) -> dict[str, str]:
    notes = facts(scene).notes
    if "handles" not in notes:
        notes["handles"] = persons.email_words(scene)
    return notes["handles"]  # type: ignore[no-any-return]


PLACE = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?P<www>www\.)?(?P<host>[^/?#\s]*)", re.I)
SCHEMES = ("http://", "https://", "ftp://", "HTTP://", "HTTPS://")


def url(value: str, scene: Scene) -> str:
    """https://clinic.org/p/77?x=1 -> https://kamo.example.org/rolesa: nothing of the path stays."""
    match = PLACE.match(value)
    host = match["host"] if match else ""
    place = DOMAINS.get(host.rpartition(".")[2].casefold(), "example.com")
    path = bool(match and re.search("[/?#]", value[match.end() :]))

    def draw(load: Dice, attempt: int) -> str:
        word = "".join(load.one(SYLLABLES) for _ in range(3 + attempt // 8))
        return f"{word}.{place}" + (f"/{load.below(10**6):06}" if path else "")

    told = pick(scene, "URL", value, draw)
    scheme = match["scheme"] if match and match["scheme"] in SCHEMES else ""
    return f"{scheme}{(match and match['www']) or ''}{told}" if told else ""
