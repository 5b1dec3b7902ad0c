"""Pseudonyms of a domain: the same for the same and never one for two, whoever asks, in whatever
process, order and batch; kept before they are released, and gone with their subject."""

import contextlib
import itertools
import json
import random
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("cryptography")
pytest.importorskip("apsw")

from test_operators import TODAY
from test_vault_store import CHEAP, OPENER, opening, postgres, server  # noqa: F401 a fixture

import scrubjay
from scrubjay import Document, Finding, Policy, Rule, errors, operators
from scrubjay.engine import Engine
from scrubjay.operators import names
from scrubjay.vault.pseudonyms import Surrogate, put_back
from scrubjay.vault.store import Memory
from scrubjay.vault.vault import Tools, Vault


class Lines:
    """Every line is a finding: `LABEL value`."""

    name = "lines.v1"

    def detect(self, documents):
        return [list(self.lines(document.text)) for document in documents]

    def lines(self, text):
        start = 0
        for line in text.split("\n"):
            label, _, value = line.partition(" ")
            if value:
                first = start + len(label) + 1
                yield Finding(first, first + len(value), label, 1.0, self.name)
            start += len(line) + 1


@pytest.fixture
def vault(tmp_path):
    return in_memory(tmp_path)


def in_memory(folder, store=None):
    store = store or Memory()
    made = Vault.init(folder / "vault", OPENER, Tools(store=lambda *_: store, cost=CHEAP))
    made.add_tenant("t").add_domain("d")
    return made


def domain(vault):
    return vault.tenant("t").domain("d")


def engine(place, operator="surrogate", **options):
    policy = Policy("p", default=Rule(operator, options=options))
    return Engine(policy, [Lines()], domain=place, today=TODAY)


def note(*values, group=""):
    return Document("\n".join(" ".join(value) for value in values), group=group)


def given_for(place, documents, made=None):
    """Surrogate by group, label and value."""
    told = {}
    for document, done in zip(documents, (made or engine(place)).stream(documents), strict=True):
        for old, new in zip(document.text.split("\n"), done.text.split("\n"), strict=True):
            told.setdefault((document.group, *old.split(" ", 1)), set()).add(new.split(" ", 1)[1])
    assert all(len(each) == 1 for each in told.values()), "one for one"
    return {asked: each.pop() for asked, each in told.items()}


# Properties

VALUES = st.one_of(
    st.tuples(st.just("MRN"), st.sampled_from(["A-1", "A-2", "B-77", "B-78"])),
    st.tuples(st.just("SSN"), st.sampled_from(["536-90-4399", "536-90-4398"])),
    st.tuples(st.just("PHONE"), st.sampled_from(["617-882-1234", "617-882-1235"])),
    st.tuples(st.just("CITY"), st.sampled_from(["Boston", "Salem", "Lynn"])),
    st.tuples(st.just("EMAIL"), st.sampled_from(["ann.lee@x.org", "bo@x.org"])),
    st.tuples(st.just("PERSON"), st.sampled_from(["Ann Lee", "Bo Lee", "Ann Kim", "Cy Kim"])),
)
NOTES = st.lists(
    st.builds(
        lambda values, group: note(*values, group=group),
        st.lists(VALUES, min_size=1, max_size=5, unique=True),
        st.sampled_from(["", "p1", "p2", "p3"]),
    ),
    min_size=1,
    max_size=8,
)
WIDE = ("MRN", "SSN", "PHONE", "EMAIL", "PERSON")  # nobody else's in all of the domain


def check_nobody_shares(told):
    counts = Counter((asked[1], new) for asked, new in told.items() if asked[1] in WIDE)
    assert max(counts.values(), default=1) == 1
    counts = Counter((*asked[:2], new) for asked, new in told.items())
    assert max(counts.values()) == 1, "nor two values of a group"
    assert all(new.casefold() != asked[2].casefold() for asked, new in told.items())


@settings(max_examples=40)
@given(NOTES, st.randoms(use_true_random=False))
def test_the_same_for_the_same_and_never_one_for_two(tmp_path_factory, notes, dice):
    vault = in_memory(tmp_path_factory.mktemp("v"))
    told = given_for(domain(vault), notes)
    check_nobody_shares(told)
    dice.shuffle(notes)
    assert given_for(domain(vault), notes) == told, "in another run and order"
    small = engine(domain(vault))
    small._pseudonyms = domain(vault).pseudonyms(recent=1)
    assert given_for(None, notes, small) == told, "with next to no cache"


@settings(max_examples=40)
@given(NOTES, st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_engines_that_take_turns_agree(tmp_path_factory, notes, turns):
    """A stale cache never makes a second one."""
    vault = in_memory(tmp_path_factory.mktemp("v"))
    engines, told = [engine(domain(vault)) for _ in range(3)], {}
    for each, turn in zip(notes * 2, itertools.cycle(turns)):
        for asked, new in given_for(None, [each], engines[turn]).items():
            assert told.setdefault(asked, new) == new
    check_nobody_shares(told)


def test_what_another_writer_gave_meanwhile_is_taken(vault):
    """Both have drawn before either writes: the later one does it again."""
    here, there = engine(domain(vault)), engine(domain(vault))
    told, notes = [], [note(("PERSON", "Ann Lee"), ("SSN", "536-90-4399"), group="p1")]
    first, anonymize = True, here._anonymize

    def slowly(document, *rest):
        nonlocal first
        done = anonymize(document, *rest)
        if first:
            first = False
            told.extend(given_for(None, notes, there).items())
        return done

    here._anonymize = slowly
    assert given_for(None, notes, here) == dict(told)
    assert len([row for row in vault.store.rows() if row.space.startswith("subject")]) == 1


def test_full_names_are_nobody_elses(vault):
    """Far more people than one would have to draw for two to meet, again and again."""
    given_names = names.pool(names.Role("en", "female"))[:30]
    notes = [
        note(("PERSON", f"{first} Lee"), ("PERSON", first), ("PERSON", "Lee"), group=f"p{n}")
        for n, first in enumerate(given_names * 60)
    ]
    told = given_for(domain(vault), notes)
    full = [new for (_, _, old), new in told.items() if " " in old]
    assert len(full) == len(set(full)) == len(notes)
    for document in notes:
        group, first = document.group, document.text.split("\n")[1].split(" ")[1]
        assert told[group, "PERSON", f"{first} Lee"] == (
            f"{told[group, 'PERSON', first]} {told[group, 'PERSON', 'Lee']}"
        )


def test_a_name_whose_words_were_apart_before_is_nobody_elses_either(vault, monkeypatch):
    """With six names each, most pairs are taken: the words that are known give way."""
    pools = {"family": ("Adams", "Baker", "Clark", "Davis", "Evans", "Foster")}
    short = ("Amy", "Beth", "Cora", "Dora", "Edith", "Fay")
    monkeypatch.setattr(names, "pool", lambda role, rare=False: pools.get(role.part, short))
    apart = [note(("PERSON", w), group=f"p{n}") for n in range(12) for w in ("Mary", "Smith")]
    together = [note(("PERSON", "Mary Smith"), group=f"p{n}") for n in range(12)]
    place = domain(vault)
    words, full = given_for(place, apart), given_for(place, together)
    assert len(set(full.values())) == 12
    assert given_for(place, together + apart) == words | full


def test_mail_follows_the_name_for_good(vault):
    name = note(("PERSON", "Jane Doe"), group="p")
    mail = note(("PERSON", "Jane Doe"), ("EMAIL", "jane.doe@clinic.org"), group="p")
    told = given_for(domain(vault), [name]) | given_for(domain(vault), [mail])
    first, last = told["p", "PERSON", "Jane Doe"].casefold().split()
    assert told["p", "EMAIL", "jane.doe@clinic.org"] == f"{first}.{last}@example.org"


def test_a_real_value_of_a_later_document_is_no_surrogate_in_it(vault):
    told = given_for(domain(vault), [note(("PERSON", "Ann"), group="p")])
    taken = told["p", "PERSON", "Ann"]
    both = [note(("PERSON", "Ann"), ("MRN", taken), group="p")]
    other = given_for(domain(vault), both)["p", "PERSON", "Ann"]
    assert other != taken and given_for(domain(vault), both)["p", "PERSON", "Ann"] == other
    assert given_for(domain(vault), [note(("PERSON", "Ann"), group="p")]) == told, "the first stays"


# Batches


def test_a_batch_is_one_write(vault):
    notes = [
        note(("PERSON", f"Ann {name}"), ("SSN", f"536-90-{n:04}"), group=f"p{n}")
        for n, name in enumerate(names.pool(names.Role("en", "family"))[:200])
    ]
    for made in (engine(domain(vault)), engine(domain(vault), "code"),
                 engine(domain(vault), "code", of="subject")):  # fmt: skip
        before = vault.store.writes()
        list(made.stream(notes))
        assert vault.store.writes() <= before + 1
        list(made.stream(notes))
        assert vault.store.writes() <= before + 1, "and nothing, when all is known"


def test_a_document_that_fails_leaves_nothing_behind(vault):
    before = sorted(vault.store.rows())
    made = engine(domain(vault), "code", of="subject")
    with pytest.raises(errors.OperatorError, match="--group FIELD"):
        list(made.stream([note(("SSN", "536-90-4399"), group="p"), note(("SSN", "1"))]))
    assert sorted(vault.store.rows()) == before


class Full(Memory):
    """A disk on which there is no more room."""

    full = False

    def add(self, rows):
        if self.full:
            raise errors.VaultError("the disk is full")
        return super().add(rows)


def test_what_cannot_be_kept_is_not_released(tmp_path):
    store = Full()
    vault = in_memory(tmp_path, store)
    made = engine(domain(vault))
    old = note(("SSN", "536-90-4399"), group="p")
    known = [each.text for each in made.stream([old])]
    store.full, released = True, []
    with pytest.raises(errors.VaultError, match="full"):
        released.extend(made.stream([old, note(("SSN", "536-90-4398"), group="p")]))
    assert released == []
    assert [each.text for each in made.stream([old])] == known, "and nothing was forgotten"


def test_memory_does_not_grow_with_the_run(vault):
    made = engine(domain(vault))
    made._pseudonyms = kept = domain(vault).pseudonyms(recent=50)
    for n in range(300):
        made.anonymize(note(("SSN", f"536-90-{n:04}"), ("CITY", "Boston"), group=f"p{n}"))
    for held in (kept._rows, kept._known, kept._notes):
        assert len(held._young) + len(held._old) <= 100
    assert len(kept._new) < 10 and len(made._memory) < 5


def test_nor_with_the_length_of_what_is_in_it(vault):
    made = engine(domain(vault))
    for n in range(40):
        made.anonymize(note(("URL", f"https://x.org/{'a' * 50_000}{n}"), ("PERSON", "b" * 50_000)))
    kept = made._pseudonyms
    held = [*kept._rows._young, *kept._notes._young, *kept._rows._young.values()]
    assert len(repr(held)) < 50_000


# Subjects


def test_dates_move_by_the_subjects_own_key(vault):
    dated = [note(("DATE", "2024-03-14"), group=group) for group in ("p1", "p2")]
    for operator in ("shift", "surrogate"):
        told = given_for(None, dated, engine(domain(vault), operator))
        assert told == given_for(None, dated, engine(domain(vault), "shift"))
        key = operators.Key(domain(vault).derive("x"))  # any other
        assert told != given_for(None, dated, Engine(
            Policy("p", default=Rule("shift")), [Lines()], key=key, today=TODAY))  # fmt: skip


def test_a_code_is_the_subjects_whatever_the_value(vault):
    made = engine(domain(vault), "code", of="subject", text="<{code}>")
    one, other = (note(("SSN", "536-90-4399"), ("PERSON", "Ann Lee"), group=g) for g in "pq")
    told = given_for(None, [one, other], made)
    codes = {group: {new for asked, new in told.items() if asked[0] == group} for group in "pq"}
    assert len(codes["p"]) == len(codes["q"]) == 1 and codes["p"] != codes["q"]
    assert domain(vault).reveal(codes["p"].pop().strip("<>")) == "p"


@pytest.mark.parametrize("operator", ["surrogate", "shift", "code", "hash", "redact"])
def test_an_erased_subject_does_not_come_back(vault, operator):
    """Not in a new engine, and not in one that has everything in its cache."""
    options = {"of": "subject"} if operator == "code" else {}
    warm = engine(domain(vault), operator, **options)
    document = note(("DATE", "2024-03-14"), ("SSN", "536-90-4399"), group="p")
    domain(vault).code("p")
    warm.anonymize(document)
    warm.anonymize(document)
    domain(vault).erase("p")
    for made in (engine(domain(vault), operator, **options), warm, warm):
        with pytest.raises(errors.VaultError, match=r"was erased: .*another domain"):
            made.anonymize(document)
    assert warm.anonymize(note(("SSN", "536-90-4399"), group="q")).text, "others go on"


def test_who_is_erased_in_the_middle_of_a_batch_is_not_released(vault):
    made = engine(domain(vault))
    anonymize, document = made._anonymize, note(("SSN", "536-90-4399"), group="p")
    made.anonymize(document)

    def slowly(document, *rest):
        done = anonymize(document, *rest)
        if domain(vault).state("p") == "known":
            domain(vault).erase("p")
        return done

    made._anonymize = slowly
    with pytest.raises(errors.VaultError, match="was erased"):
        made.anonymize(document)


def test_subjects_of_whom_nothing_is_minted_are_not_kept(vault):
    before = vault.store.writes()
    engine(domain(vault), "redact").anonymize(note(("SSN", "536-90-4399"), group="p"))
    assert domain(vault).state("p") == "unknown" and vault.store.writes() == before


def test_an_erased_value_gets_no_code_from_a_cache(vault):
    made, document = engine(domain(vault), "code"), note(("SSN", "536-90-4399"))
    made.anonymize(document)
    domain(vault).erase("SSN: 536-90-4399")
    with pytest.raises(errors.VaultError, match="was erased"):
        made.anonymize(document)


# Back again


def test_texts_come_back_as_they_were(vault):
    place = domain(vault)
    made = scrubjay.load(
        Policy("p", default=Rule("surrogate")), profile="patterns", detectors=[Names()],
        domain=place, today=TODAY,
    )  # fmt: skip
    text = (
        "María GONZÁLEZ (SSN 536-90-4399, tel. (617) 882-1234, mgonzalez@clinic.org) came on\n"
        "03/14/2024 and again March 20, 2024. Mrs. GONZÁLEZ lives in Boston; SSN 536904399."
    )
    for group in ("p1", "p2"):
        clean = made.anonymize(Document(text, group=group)).text
        assert "GONZ" not in clean and "4399" not in clean and "2024-03" not in clean
        assert put_back(clean, place.surrogates(group)) == text
    assert list(place.surrogates("nobody")) == [] and place.state("nobody") == "unknown"
    place.erase("p1")
    with pytest.raises(errors.VaultError, match="was erased"):
        place.surrogates("p1")
    assert put_back(clean, place.surrogates("p2")) == text


class Names:
    name = "names.v1"

    def detect(self, documents):
        wanted = {"María GONZÁLEZ": "PERSON", "GONZÁLEZ": "PERSON", "Boston": "CITY"}
        found = [[(d.text.find(w), w, label) for w, label in wanted.items()] for d in documents]
        found[0].append((documents[0].text.rfind("GONZÁLEZ"), "GONZÁLEZ", "PERSON"))
        return [
            [Finding(at, at + len(w), label, 1.0, self.name) for at, w, label in each if at >= 0]
            for each in found
        ]


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ("Rosa Vargas.", "Ann Lee."), ("MsVargas, Vargasson, Vargas", "MsVargas, Vargasson, Lee"),
        ("Vargas,Vargas", "Lee,Lee"), ("患者林小月來", "患者王小明來"), ("E. Vargas", "E. Lee"),
        ("(Rosa Vargas)Rosa", "(Ann Lee)Rosa"), ("", ""), ("no one", "no one"),
    ],
)  # fmt: skip
def test_what_is_put_back_is_a_whole_word_and_the_longest(said, back):
    known = [("Rosa Vargas", "Ann Lee"), ("Vargas", "Lee"), ("林小月", "王小明"), ("E.", "A."),
             ("E.", "B.")]  # fmt: skip
    assert put_back(said, [Surrogate("PERSON", *each) for each in known]) == back


def test_one_surrogate_for_two_values_stays(vault):
    """Two spellings of one word: what stood there is not known, and nothing is made up."""
    made = engine(domain(vault))
    for group in "pqrstuvwxyz":  # until a name without accents is drawn
        clean = made.anonymize(note(("PERSON", "Muller"), ("PERSON", "Müller"), group=group)).text
        if clean.isascii():
            break
    assert len(set(clean.split("\n"))) == 1
    assert put_back(clean, domain(vault).surrogates(group)) == clean
    assert {each.value for each in domain(vault).surrogates(group)} == {"Muller", "Müller"}


# Processes

STREAM = """
import json, random, sys
from pathlib import Path
sys.path[:0] = json.loads(sys.argv[4])
from test_pseudonyms import domain, engine, opening, OPENER, people
from scrubjay.vault.vault import Tools, Vault

folder, address, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
tools = Tools(store=opening(address)) if address else Tools()
made = engine(domain(Vault.open(folder, OPENER, tools)))
notes = people()
random.Random(number).shuffle(notes)
for start in range(0, len(notes), 7):
    some = notes[start : start + 7]
    for document, done in zip(some, made.stream(some)):
        print(json.dumps([document.group, document.text, done.text]), flush=True)
"""


def people():
    """Notes about 40 people, some of them several times and with the same names and numbers."""
    dice = random.Random(3)
    return [
        note(
            ("PERSON", f"{dice.choice(['Ann', 'Bo', 'Cy'])} {dice.choice(['Lee', 'Kim'])}"),
            ("SSN", f"536-90-{4000 + dice.randrange(20)}"),
            ("PHONE", f"617-882-{1000 + dice.randrange(20)}"),
            group=f"p{dice.randrange(40)}",
        )
        for _ in range(120)
    ]


def minting(folder, address, number):
    command = [
        sys.executable,
        "-c",
        STREAM,
        str(folder),
        address,
        str(number),
        json.dumps(sys.path),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def told_by(lines):
    """Surrogates by what was asked, from what a process printed."""
    told = {}
    for group, before, after in map(json.loads, lines):
        for old, new in zip(before.split("\n"), after.split("\n"), strict=True):
            assert (
                told.setdefault((group, *old.split(" ", 1)), new.split(" ", 1)[1])
                == (new.split(" ", 1)[1])
            )
    return told


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_that_mint_at_once_agree(kind, request, tmp_path):
    address = request.getfixturevalue("server") if kind == "postgres" else ""
    tools = Tools(cost=CHEAP)
    if address:
        postgres(address)
        tools = tools._replace(store=opening(address))
    vault = Vault.init(tmp_path / "vault", OPENER, tools)
    vault.add_tenant("t").add_domain("d")
    processes = [minting(tmp_path / "vault", address, number) for number in range(3)]
    told = [told_by(process.communicate(timeout=120)[0].splitlines()) for process in processes]
    assert told[0] == told[1] == told[2] and len(told[0]) > 200
    check_nobody_shares(told[0])
    assert given_for(domain(vault), people()) == told[0]
    rows = list(vault.store.rows())
    groups = {document.group for document in people()}
    assert len([row for row in rows if row.space.startswith("subject:")]) == len(groups)
    vault.close()


def test_a_killed_process_loses_nothing_that_it_released(tmp_path):
    vault = Vault.init(tmp_path / "vault", OPENER, Tools(cost=CHEAP))
    vault.add_tenant("t").add_domain("d")
    vault.close()
    lines = []
    for number in range(4):
        with minting(tmp_path / "vault", "", number) as process:
            lines += itertools.islice(process.stdout, 5 + 9 * number)
            process.kill()
    with contextlib.closing(Vault.open(tmp_path / "vault", OPENER)) as vault:
        told = told_by(lines)
        again = given_for(domain(vault), people())
        assert told.items() <= again.items()
        check_nobody_shares(again)
