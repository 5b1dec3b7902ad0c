"""Web hosts, network addresses, user names, geographic positions."""

from __future__ import annotations

import ipaddress
import re

STRONG, FAIR, AMBIGUOUS, HARDLY = 0.85, 0.6, 0.4, 0.1


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# IANA root zone: two-letter domains. Those that are also words or file names follow below.
_COUNTRIES = _words("""
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs
    bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec
    ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy
    hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz
    la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx
    my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re
    ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th
    tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
    рф бг укр срб бел ελ
""")
_GENERIC = _words("""
    com org net edu gov mil int biz mobi aero coop museum jobs travel asia eus gal cat swiss
    wales scot irish london berlin paris tokyo hamburg koeln wien bayern nrw nyc amsterdam xyz
    tech dev health clinic hospital dental doctor healthcare pharmacy surgery foundation charity
    ngo blog website space cloud host ltd gmbh inc llc club social chat email photos expert
    systems agency academy university college education onion arpa icu vip bank insurance
""")
# Domains that are more often the next sentence's first word, an attribute or a file's ending.
_WORDS = _words("""
    in it is no at as my so to us be me am do la id al ad im st re pa pm et es se ne om
    ma va si li sa na pt ms mr ph bi ps mm ml mg cm km ss sc sd su tm info
    name pro app care live life world today news site online store shop page link digital social
    chat email photos space cloud host expert systems clinic hospital health dental doctor
    pharmacy surgery education foundation work works media center team support services help
    bank insurance jobs travel int cat biz club vip
""")
_FILES = _words("""
    py sh md rs pl cc so zip mov ps mk ml mm app cab tf la pm st do in as cd ms
""")
_SECOND = _words("""
    co com org net ac gov edu nhs ltd plc police go or ne gob gouv nom sch
""")
_CODE = _words("""
    self this os sys np pd plt df re req res obj user log logger console window document module
    math json data node event args ctx app config string java javax system process
""")


def host(value: str) -> bool | float:
    """A bare domain with or without a path: the last label must be a top-level domain."""
    name, slash, path = value.partition("/")
    labels = name.partition(":")[0].split(".")
    top = labels[-1]
    lower = top.lower()
    if top != lower and not name.isupper() and not top.isupper():
        return False  # pain.He
    if top.isupper() and any(c.islower() for c in labels[-2]):
        return False  # Smith.MD
    if not all(0 < len(label) <= 63 and label[0] != "-" != label[-1] for label in labels):
        return False
    known = lower in _COUNTRIES or lower in _GENERIC or lower in _WORDS or lower[:4] == "xn--"
    if not known or (len(labels) == 2 and len(labels[0]) < 2 and not slash):
        return False
    if all(label.isdigit() for label in labels[:-1]):
        return False  # 10.mg
    return _weigh(labels, lower, bool(slash and path))


def _weigh(labels: list[str], top: str, path: bool) -> float:
    """How surely dots between words mean a domain."""
    second = len(labels) > 2 and labels[-2].lower() in _SECOND and len(top) == 2
    if second or labels[0].lower() == "www":
        return STRONG
    if top in _FILES and not path:
        return HARDLY
    if labels[0].lower() in _CODE and not path:
        return HARDLY
    if top in _WORDS:
        return FAIR if path or (len(labels) > 2 and top in _COUNTRIES) else AMBIGUOUS
    return STRONG if path or top in _GENERIC or len(labels) > 2 else FAIR + 0.1


def ipv4(value: str) -> bool | float:
    """RFC 791 in dotted form. Section numbers (4.2.1.3) need a word near them."""
    address, _, prefix = value.partition("/")
    octets = address.split(".")
    if len(octets) != 4 or any(len(o) > 1 and o[0] == "0" for o in octets):
        return False
    if any(int(octet) > 255 for octet in octets) or (prefix and int(prefix) > 32):
        return False
    if all(len(octet) == 1 for octet in octets):
        return AMBIGUOUS
    return 0.8 if any(len(octet) == 3 for octet in octets) or octets[0] == "10" else FAIR


def ipv6(value: str) -> bool | float:
    """RFC 4291 section 2.2, RFC 4007 section 11 for zones."""
    address = value.partition("%")[0].partition("/")[0]
    groups = address.split(":")
    if all(len(group) == 2 for group in groups):
        return False  # EUI-64: a MAC
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    if not any(c.isdigit() for c in address):
        return AMBIGUOUS if len(address) > 4 else HARDLY
    if len(address) < 5 and address.startswith("::") and address != "::1":
        return AMBIGUOUS  # a slice in code
    return 0.85 if address.startswith("::") or len(address) > 5 or value != address else FAIR


def mac(value: str) -> bool | float:
    """EUI-48 or EUI-64 with one kind of separator."""
    marks = {c for c in value if c in ":-."}
    digits = "".join(c for c in value if c.isalnum())
    if len(marks) > 1 or len(set(digits)) == 1:
        return False
    return AMBIGUOUS if digits.isdigit() and ":" not in marks else 0.85


def mac_bare(value: str) -> bool | float:
    """Twelve hexadecimal digits behind the word."""
    return 0.8 if len(value) == 12 and len(set(value)) > 1 else False


# Annotations, decorators, at-rules; then what follows a clinician's "at": @ bedtime, @ rest.
_NOT_HANDLES = _words("""
    property media import charset keyframes supports include mixin extend use dataclass override
    test before after beforeeach aftereach staticmethod classmethod cached cache lru_cache
    pytest fixture param params return returns throws see since author version deprecated link
    inherit autowired bean component service entity table column nullable notnull nonnull app
    click abstractmethod contextmanager wraps functools interface implements end selector
    synthesize dynamic objc available escaping main state binding published font-face page layer
    container suppresswarnings functionalinterface type typedef todo example default private
    public home night bedtime noon midnight work clinic hospital rest rate admission discharge
    baseline lunch breakfast dinner this that the time times present school same which all least
    about approx around max min day days hs qhs prn bed bedside level arrival triage birth base
    apex room office nursing facility snf rehab er ed icu or pacu pcp left right mid low high
""")


def handle(value: str) -> bool | float:
    """A social-media name, not an annotation in code nor a clinician's "at"."""
    name = value.lstrip("@")
    if len(name) < 2 or len(name) > 30 or name.lower() in _NOT_HANDLES:
        return False
    if name.partition(".")[0].lower() in _NOT_HANDLES and "." in name:
        return False
    return 0.7 if re.search(r"[\d_]", name) else FAIR


_NOT_USERS = _words("""
    the a an is was are has have had not no none null nil true false yes name id and or for of
    in to on at by with from as be can will may must should failed failure success successful
    error page screen required invalid valid unknown undefined empty blank username user login
    password string int integer varchar text root admin administrator guest anonymous nobody
    public shared default all users everyone test system localhost self str any object linuxbrew
    runner here this that your you he she they we it who when if but attempt attempts time date
    session set used correct incorrect taken already case unique same names ids info details
    account accounts group groups profile type role number code
""")


def user(value: str) -> bool:
    """A login behind a key such as "user:"."""
    return 2 <= len(value) <= 64 and value.lower().strip(".-") not in _NOT_USERS


def assigned(value: str) -> bool | float:
    """A value behind a weaker key such as "user=": surer where it does not look like a word."""
    if not user(value):
        return False
    if re.search(r"[\d_.]", value):
        return 0.8
    return FAIR if value.islower() else AMBIGUOUS


def reddit(value: str) -> bool | float:
    """u/name, and not a unit per day or a urinalysis."""
    name = value.rpartition("/")[2].lower()
    if len(name) < 4 or name in {
        "hour",
        "minute",
        "litre",
        "liter",
        "week",
        "dose",
        "unit",
        "gram",
    }:
        return False
    return FAIR if re.search(r"[\d_]", name) else AMBIGUOUS


def _numbers(value: str) -> list[float]:
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", value)]


def decimal_pair(value: str) -> bool | float:
    """Latitude first: at most 90 and 180 degrees; the more decimals, the surer."""
    numbers = re.findall(r"\d+\.\d+", value)
    north, east = (float(number) for number in numbers[:2])
    if north > 90 or east > 180 or len(numbers) != 2:
        return False
    places = min(len(number.partition(".")[2]) for number in numbers)
    if north < 1 and east < 1:
        return 0.3  # two p-values
    if places >= 4:
        return 0.8
    return 0.45 if places == 3 else 0.25


def degree(value: str) -> bool:
    """One keyed coordinate."""
    return _numbers(value)[0] <= 180


def with_hemispheres(value: str) -> bool:
    """40.7128 N 74.0060 W, or degrees, minutes and seconds: ISO 6709 annex D."""
    numbers = _numbers(value)
    half = len(numbers) // 2
    if len(numbers) % 2 or not half:
        return False
    north, east = numbers[:half], numbers[half:]
    parts = [*north[1:], *east[1:]]
    return north[0] <= 90 and east[0] <= 180 and all(part < 60 for part in parts)


def plus_code(value: str) -> bool:
    """Open Location Code: at most the ninth row and the eighteenth column for a full one."""
    code = value.upper()
    if not any(c.isdigit() for c in code) or not any(c.isalpha() for c in code.replace("+", "")):
        return False
    return len(code.partition("+")[0]) < 8 or (
        code[0] in "23456789C" and code[1] in "23456789CFGHJMPQRV"
    )


def geohash(value: str) -> bool:
    """Digits and letters both."""
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def token(value: str) -> bool:
    """A session's value: long enough, with a digit, not a word."""
    return len(value) >= 8 and any(c.isdigit() for c in value)


def uuid(value: str) -> bool | float:
    """RFC 9562; the nil and max values name nothing."""
    return [len(p) for p in value.split("-")] == [8, 4, 4, 4, 12] and len(set(value.lower())) > 3


def device(value: str) -> bool:
    """An advertising or vendor id: a UUID, Android's 16 digits, Apple's 40 or 8 + 16."""
    lengths = [len(part) for part in value.split("-")]
    return lengths in ([8, 4, 4, 4, 12], [16], [40], [8, 16]) and len(set(value.lower())) > 3
