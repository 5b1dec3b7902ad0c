"""Other people's names for people's names, word by word: if Maria Gonzalez is Elena Vargas, then
Gonzalez is Vargas, M. Gonzalez is E. Vargas, and MARIA's mother Gonzalez is a Vargas, too.

A word's surrogate is of the same part (given, family), gender and culture as far as the lists know.
Lists of names are short, so a word's surrogate is nobody else's within its group alone. Full names
are: no two groups of a domain or run have a given and a family name together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, partial
from itertools import product

from msgspec import Struct, field

from scrubjay.operators import Scene, names
from scrubjay.operators.ledger import Dice, Free, dice, facts, fold, ledger_of, mark, pick
from scrubjay.operators.names import Role
from scrubjay.recent import remembered

# Combining marks are part of a word, and so is all of the Indic and Southeast Asian blocks.
LETTER = r"(?:[^\W\d_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u109f\u1780-\u17ff])"
WORD = re.compile(rf"{LETTER}+(?:[’'ʼ`‘-]{LETTER}+)*")
_LED = re.compile(  # particles that elsewhere are names or initials; but not 'T Rex'
    r"(?<!\w)(?:(?:(?i:aan|in|op|uit|van|voor) )?['’](?:[ts](?= )|[TS](?= [^\W\d_a-z]{2}))"
    r"|(?i:in|op|uit) (?:den|DEN)(?= ))"
)
LETTERS = "ABCDEFGHJKLMNPRSTVW"


class Word(Struct, frozen=True):
    """One word of a mention. `part`: given, family, initial, or as for titles kept."""

    text: str
    start: int
    end: int
    part: str


class Person(Struct):
    """What the mentions of one entity say of it."""

    given: list[str] = field(default_factory=list)
    family: list[str] = field(default_factory=list)


class Part(Struct, frozen=True):
    """A folded word of a full name."""

    word: str
    family: bool
    role: Role


class Cast(Struct):
    """The people of a document: by entity; the part each folded word plays, what it became in the
    fullest name, and what all words of each full name became."""

    people: dict[int, Person] = field(default_factory=dict)
    parts: dict[str, Role] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    full: dict[str, dict[str, str]] = field(default_factory=dict)


@cache
def _listed(kind: str) -> frozenset[str]:
    return frozenset(names.table()[kind])


def name(value: str, entity: int, scene: Scene) -> str:
    """The surrogate of a mention, or an empty text where there is none."""
    value = unicodedata.normalize("NFC", value)
    people = cast(scene)
    words = _parse(value, people)
    if not any(word.part != "kept" for word in words):
        words = [Word(word.text, word.start, word.end, "family") for word in words]
    full = _full(value, words, people, scene)
    told = [_substitute(word, words, entity, people, scene, full) for word in words]
    if not words or not all(told) or not all(full.values()):
        return ""
    return _woven(value, words, told)


def _woven(value: str, words: list[Word], told: list[str]) -> str:
    """The new words in the old punctuation; digits and signs of no known use go."""
    pieces: list[str] = []
    place = 0
    for word, new in zip(words, told, strict=True):
        pieces += [re.sub(r"[^\s.,;:()’'\"/&-]", "", value[place : word.start]), new]
        place = word.end
    return "".join(pieces) + re.sub(r"[^\s.,;:()’'\"/&-]", "", value[place:])


def cast(scene: Scene) -> Cast:
    """The people of the scene's document, read from the fullest mention of each first."""
    notes = facts(scene).notes
    if "cast" not in notes:
        notes["cast"] = _cast(scene)
    return notes["cast"]  # type: ignore[no-any-return]


def _cast(scene: Scene) -> Cast:
    people = Cast()
    text = scene.document.text
    found = {(f.entity, text[f.start : f.end]) for f in scene.findings if f.label == "PERSON"}
    mentions = sorted(found, key=lambda told: (-len(told[1].split()), told))
    for entity, value in mentions:
        words = _parse(unicodedata.normalize("NFC", value), people)
        person = people.people.setdefault(entity, Person())
        for word in words:
            if word.part in ("given", "family"):
                _enrol(word, words, person, people, scene)
        people.told = _full(unicodedata.normalize("NFC", value), words, people, scene) | people.told
    return people


def _full(value: str, words: list[Word], people: Cast, scene: Scene) -> dict[str, str]:
    """What each word of a name with both parts becomes; empty for other names."""
    if value not in people.full:
        parts = [
            Part(fold(piece), word.part == "family", _known(piece, word.part, words, people, scene))
            for word in words
            if word.part in ("given", "family")
            for piece in _pieces(word.text)
        ]
        both = len({part.family for part in parts}) == 2
        people.full[value] = together(parts, scene) if both else {}
    return people.full[value]


def together(parts: Sequence[Part], scene: Scene) -> dict[str, str]:
    """The surrogates of a full name's words, of which no other group has a given and a family name
    together: all empty where there are none. What was drawn before stays if it can; of what is new,
    a given name is drawn last, to fit its family name."""
    ledger, mine = ledger_of(scene), mark(scene, "together")
    told: dict[str, str] = {}

    def ours(one: str, other: str) -> bool:
        return ledger.get("", "taken", "together", _pair(one, other)) in (None, mine)

    def free(family: bool, drawn: str) -> bool:
        beside = (told.get(part.word) for part in parts if part.family != family)
        return all(ours(drawn, other) for other in beside if other)

    def new(part: Part) -> tuple[bool, bool]:
        known = ledger.get(scene.document.group, "drawn", "name", part.word, "0")
        return known is None, not part.family

    for part in sorted(parts, key=new):
        if part.word not in told:
            told[part.word] = token(part.word, part.role, scene, partial(free, part.family))
    by_part = [[told[part.word] for part in parts if part.family is one] for one in (False, True)]
    pairs = list(product(*by_part))
    if not all(told.values()) or not all(ours(*pair) for pair in pairs):
        return dict.fromkeys(told, "")
    for place in {("taken", "together", _pair(*pair)) for pair in pairs}:
        if ledger.get("", *place) is None:
            ledger.put(mine, "", *place)
    return told


def _pair(one: str, other: str) -> str:
    return " ".join(sorted((fold(one), fold(other))))


def _enrol(word: Word, words: list[Word], person: Person, people: Cast, scene: Scene) -> None:
    for piece in _pieces(word.text):
        known = person.given if word.part == "given" else person.family
        if fold(piece) not in known:
            known.append(fold(piece))
        people.parts.setdefault(fold(piece), _role(piece, word.part, words, scene))


@remembered
def _pieces(word: str) -> list[str]:
    """Smith-Jones is two names; Ji-woo and O'Brien are one; 's is none."""
    if names.roles(word):
        return [word]
    return [piece for piece in re.split(r"-|[’'](?=s$)", word) if piece and piece != "s"]


def _parse(value: str, people: Cast) -> list[Word]:
    """The words of a mention. One that stands alone plays the part that it plays elsewhere."""
    words = _parsed(value, "")
    alone = [word for word in words if word.part in ("given", "family")]
    pieces = _pieces(alone[0].text) if len(alone) == 1 else []
    known = people.parts.get(fold(pieces[0])) if pieces else None
    return _parsed(value, known.part) if known else words


@remembered
def _parsed(value: str, known: str) -> list[Word]:
    """`known`: the part of a word that is alone, if that is known."""
    found = list(WORD.finditer(value))
    comma = _comma(value, found)
    loose = [m for i, m in enumerate(found) if not _kept(m, i, found, value)]
    parts = _parts([m[0] for m in loose], [m.start() < comma for m in loose], comma >= 0, known)
    by_start = {m.start(): part for m, part in zip(loose, parts, strict=True)}
    return [Word(m[0], *m.span(), by_start.get(m.start(), "kept")) for m in found]


def _comma(value: str, found: list[re.Match[str]]) -> int:
    """Where `Family, Given` turns; -1 if it does not, as before `, MD`."""
    place = value.find(",")
    after = [m for m in found if m.start() > place]
    names_after = [m for m in after if plain_word(m[0]) not in _listed("suffixes")]
    return place if place > 0 and names_after and found and found[0].start() < place else -1


def plain_word(word: str) -> str:
    """Folded for the lists of titles and suffixes."""
    return word.casefold().rstrip(".")


def _kept(match: re.Match[str], index: int, found: list[re.Match[str]], value: str) -> bool:
    """Titles before a name, particles inside one, suffixes after one."""
    word, folded = match[0], plain_word(match[0])
    more = index + 1 < len(found)
    if (
        folded in _listed("titles")
        and more
        and (index == 0 or plain_word(found[index - 1][0]) in _listed("titles"))
    ):
        return True
    if folded in _listed("suffixes") and index:
        return word.isupper() or len(folded) > 2 or folded in ("jr", "sr") or "," in value
    if any(led.start() <= match.start() < led.end() for led in _LED.finditer(value)):
        return True
    vietnamese = any(names.roles(m[0])[:1] == (Role("vi", "family"),) for m in found)
    return (
        folded in _listed("particles")
        and more
        and (word.islower() or (index > 0 and not vietnamese))
    )


def _parts(words: list[str], before: list[bool], comma: bool, known: str) -> list[str]:
    """given, family or initial for each word that is a name."""
    full = [not _is_initial(word) for word in words]
    told = ["initial"] * len(words)
    count = sum(full)
    for index, word in enumerate(words):
        if full[index]:
            rank = sum(full[:index])
            told[index] = _part(word, rank, count, before[index] if comma else None, words, known)
    return told


def _part(
    word: str, rank: int, count: int, before: bool | None, words: list[str], known: str
) -> str:
    if before is not None:
        return "family" if before else "given"
    if count == 1:
        return _alone(word, words, known)
    family_first = _family_first(words)
    if rank == (0 if family_first else count - 1):
        return "family"
    second_last = rank == count - 2 and count > 2 and not family_first
    listed = {role.part for role in names.roles(word)}
    return "family" if second_last and listed == {"family"} else "given"


def _alone(word: str, words: list[str], known: str) -> str:
    """One word, perhaps with initials: as elsewhere in the document, as in the lists, by its place,
    else a family name."""
    parts = {known} if known else {role.part for role in names.roles(word)}
    if "family" in parts or (not parts and words[0] != words[-1] == word):
        return "family"
    return "given" if parts or len(words) > 1 else "family"


def _family_first(words: list[str]) -> bool:
    first, last = names.roles(words[0]), names.roles(words[-1])
    if {r.part for r in first} == {"family"} and last and "family" not in {r.part for r in last}:
        return True
    eastern = (
        bool(first) and first[0].culture in _listed("family_first") and first[0].part == "family"
    )
    return eastern and not any(r.part == "family" and r.culture == first[0].culture for r in last)


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isupper() and not names.script(word, "")


def _role(word: str, part: str, words: Sequence[Word], scene: Scene) -> Role:
    """Culture and gender: by the word itself, else by the words beside it, else by the language."""
    language = names.spoken(scene.document.language)
    native = names.script(word, scene.document.language)
    own = [r for r in names.roles(word) if (r.part == "family") == (part == "family")]
    beside = [r.culture for w in words if w.text != word for r in names.roles(w.text)[:1]]
    wanted = [language, *beside]
    if own:
        told = min(own, key=lambda r: wanted.index(r.culture) if r.culture in wanted else 9)
        return told if not native or told.culture == native else Role(native, told.part)
    culture = native or (beside[0] if beside else language)
    return Role(culture, "family" if part == "family" else "")


def _substitute(
    word: Word, words: list[Word], entity: int, people: Cast, scene: Scene, full: dict[str, str]
) -> str:
    if word.part == "kept":
        return word.text
    if word.part == "initial":
        return _initial(word, words, entity, people, scene)
    letters = _initials(word, words, entity, people, scene)
    if letters:
        return letters
    native = names.script(word.text, scene.document.language)
    if native in ("zh-hani", "ja-jpan", "ko-hang") and len(words) == 1:
        return _unspaced(word.text, native, scene)
    by_word = people.told | full
    pieces = [
        _cased(piece, _plain(piece, by_word.get(fold(piece)) or token(piece, role, scene), role))
        for piece in _pieces(word.text)
        for role in [_known(piece, word.part, words, people, scene)]
    ]
    told = "-".join(pieces) if pieces and all(pieces) else ""
    return told + word.text[-2:] if told and re.search(r"[’']s$", word.text) else told


def _known(piece: str, part: str, words: list[Word], people: Cast, scene: Scene) -> Role:
    return people.parts.get(fold(piece)) or _role(piece, part, words, scene)


def _plain(piece: str, told: str, role: Role) -> str:
    """Without accents, if the old one had none."""
    return names.ascii_of(told) if piece.isascii() and role.culture != "ru-cyrl" else told


def other(folded: str, people: Cast, scene: Scene) -> str:
    """The surrogate of a word of the document's people."""
    return people.told.get(folded) or token(folded, people.parts[folded], scene)


def token(word: str, role: Role, scene: Scene, free: Free | None = None) -> str:
    """The surrogate of one name: for one that is in no list, one that few have. When the list runs
    short, two of its names with a hyphen."""
    rare = not names.roles(word)

    def draw(load: Dice, attempt: int) -> str:
        part = role.part or names.GENDERS[dice(scene, "gender", fold(word)).below(2)]
        choices, feminine = names.pool(Role(role.culture, part), rare=rare), _feminine(word, role)
        one = load.one(choices) + feminine
        return one if attempt < 24 else f"{one}-{load.one(choices)}{feminine}"

    return pick(scene, "name", word, draw, within_group=True, free=free)


def _feminine(word: str, role: Role) -> str:
    """Ivanova: the Russian lists hold the men's form."""
    if role.part != "family" or role.culture not in ("ru", "ru-cyrl"):
        return ""
    ending = "а" if role.culture == "ru-cyrl" else "a"
    return ending if re.search(r"(?:[oei]v|in|[оеё]в|ин)[aа]$", word.casefold()) else ""


def _cased(old: str, new: str) -> str:
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.lower() if old.islower() else new


def _initial(word: Word, words: list[Word], entity: int, people: Cast, scene: Scene) -> str:
    """The first letter of the surrogate of the entity's name that begins so, or any other."""
    person = people.people.get(entity, Person())
    last = word is words[-1] and any(w.part == "given" for w in words)
    order = person.family + person.given if last else person.given + person.family
    letter = fold(word.text)
    full = next((told for told in order if told.startswith(letter)), "")
    if full and full in people.parts:
        return other(full, people, scene)[:1].upper()
    others = [other for other in LETTERS if other != word.text]
    return dice(scene, "initial", str(entity), letter).one(others)


def _initials(word: Word, words: list[Word], entity: int, people: Cast, scene: Scene) -> str:
    """MG, where the entity is Maria Gonzalez: EV."""
    person = people.people.get(entity, Person())
    full = [w for w in person.given + person.family if w != fold(word.text)]
    count = len(word.text)
    short = len(words) == 1 and word.text.isupper() and word.text.isascii() and 2 <= count <= 4
    if not short or names.roles(word.text):
        return ""
    if "".join(w[0] for w in full) == fold(word.text):
        return "".join(other(w, people, scene)[:1].upper() for w in full)
    letters = dice(scene, "initials", fold(word.text))
    return "".join(letters.one(LETTERS) for _ in word.text) if count < 4 else ""


def _unspaced(word: str, culture: str, scene: Scene) -> str:
    """王小明, 佐藤花子: the family name is what the list has of the beginning, else one character,
    two in Japanese."""
    family = set(names.pool(Role(culture, "family")))
    fits = [n for n in (3, 2, 1) if word[:n] in family and len(word) > n]
    cut = fits[0] if fits else min(len(word) - 1, 2 if culture == "ja-jpan" else 1)
    if (len(word) < 3 and word in family) or cut <= 0:
        return token(word, Role(culture, "family"), scene)
    given = word[cut:]
    role = next((r for r in names.roles(given) if r.part != "family"), Role(culture, ""))
    parts = Part(fold(word[:cut]), True, Role(culture, "family")), Part(fold(given), False, role)
    told = together(parts, scene)
    return "".join(told[part.word] for part in parts)


def email_words(scene: Scene) -> dict[str, str]:
    """Every name word of the document, and the initial of each, as they are typed in addresses."""
    told = {}
    people = cast(scene)
    for word in people.parts:
        new = names.ascii_of(other(word, people, scene)).casefold()
        told[names.ascii_of(word)] = re.sub(r"[^a-z]", "", new)
    return told
