"""Who stood behind a surrogate, asked of a vault that has erased them: with every key there is, a
list of all candidates, the released text, and the rows that are left."""

import datetime

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("apsw")

from scrubjay import Document, Finding, Policy, Rule
from scrubjay.engine import Engine
from scrubjay.errors import VaultError
from scrubjay.testing import CANARY, canary
from scrubjay.vault import slots
from scrubjay.vault.slots import Cost
from scrubjay.vault.store import Memory, Row
from scrubjay.vault.vault import Tools, Vault

WORDS = slots.passphrase("four plain words here")
TODAY = datetime.date(2026, 11, 21)
VALUES = [
    ("PERSON", "Ann Lee"), ("SSN", "536-90-4399"), ("MRN", "A-77123"), ("PHONE", "617-882-1234"),
    ("EMAIL", "ann.lee@clinic.org"), ("CITY", "Boston"), ("DATE", "2024-03-14"),
]  # fmt: skip


class Given:
    """Every line is what its number says."""

    name = "given.v1"

    def detect(self, documents):
        return [list(self.lines(document.text)) for document in documents]

    def lines(self, text):
        start = 0
        for (label, _), line in zip(VALUES, text.split("\n"), strict=False):
            yield Finding(start, start + len(line), label, 1.0, self.name)
            start += len(line) + 1


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def tools(memory):
    return Tools(store=lambda *_: memory, cost=Cost(memory=64, passes=1, lanes=4))


@pytest.fixture
def vault(tmp_path, tools):
    made = Vault.init(tmp_path / "vault", WORDS, tools)
    made.add_tenant("t").add_domain("d")
    return made


def domain(vault):
    return vault.tenant("t").domain("d")


def clean(group, place=None, key=None):
    made = Engine(Policy("p", default=Rule("surrogate")), [Given()], domain=place, key=key,
                  today=TODAY)  # fmt: skip
    document = Document("\n".join(value for _, value in VALUES), group=group)
    return made.anonymize(document).text.split("\n")


def kept(memory):
    return {row.space for row in memory.rows() if row.space.partition(":")[0] in SPACES}


SPACES = ("drawn", "taken", "told")


def test_no_row_is_left_that_gives_a_value_back(vault, memory):
    """Each is opened with the keys that are left; a subject's own spaces are not even there."""
    place = domain(vault)
    clean("p1", place), clean("p2", place)
    shared, before = place._shared, kept(memory)
    place.erase("p1")
    assert len(before - kept(memory)) == 3
    said = "".join(
        shared.opened(row, vault._site)
        for row in memory.rows()
        if row.space.partition(":") in [(space, ":", shared.id) for space in SPACES]
    )
    for _, value in VALUES:
        assert not any(word in said for word in (value, value.casefold(), *value.split()))
    assert "p1" not in said and place.id not in said


def test_trying_every_candidate_finds_nothing(vault, memory):
    """The released text and the right values are known: is there a key left that joins them?"""
    place = domain(vault)
    released = clean("p1", place)
    place.erase("p1")
    left = {(row.space, row.key) for row in memory.rows()}
    for (label, value), new in zip(VALUES, released, strict=True):
        for group in ("p1", "p2", ""):
            for parts in ((label, new, value), (label, value, "0"), (label, value), (group, value)):
                for space in SPACES:
                    row = place._shared.row((space, *parts))
                    assert (row.space, row.key) not in left
    again = clean("p1", key=place.lasting("operators"))
    assert not set(again) & set(released)


def test_no_key_that_is_left_gives_the_days_that_dates_moved(vault):
    place, met = domain(vault), 0
    for n in range(30):
        moved = clean(f"p{n}", place)[-1]
        place.erase(f"p{n}")
        met += clean(f"p{n}", key=place.lasting("operators"))[-1] == moved
    assert met < 3, "one in 730 by chance"


def test_an_older_copy_brings_nobodys_pseudonyms_back(vault, memory, tmp_path, tools):
    place = domain(vault)
    clean("p1", place)
    before = list(memory.rows())
    place.erase("p1")
    memory.change(before)
    again = domain(Vault.open(tmp_path / "vault", WORDS, tools))
    assert again.state("p1") == "erased"
    assert kept(memory) == {f"taken:{place.id}"}


def test_rows_that_were_moved_open_nothing(vault, memory):
    """From one subject to another, from one surrogate to another."""
    place = domain(vault)
    clean("p1", place), clean("p2", place)
    for space in ("drawn", "told"):
        rows = [row for row in memory.rows() if row.space.startswith(f"{space}:")]
        for one in rows:
            other = next(row for row in rows if row.key != one.key)
            memory.change([one._replace(value=other.value)])
            with pytest.raises(VaultError, match="changed, moved or sealed under another key"):
                list(place.surrogates("p1")), list(place.surrogates("p2"))
                clean("p1", place), clean("p2", place)
            memory.change([one])


def test_a_stolen_store_says_nothing_and_not_how_long_it_is(vault, memory):
    released = clean(CANARY, domain(vault))
    dump = b"".join(row.space.encode() + row.key + row.value for row in memory.rows())
    for word in (CANARY, *released, *(value for _, value in VALUES)):
        assert word.encode() not in dump
    assert {
        len(row.value) % 32 for row in memory.rows() if row.space[:5] in ("drawn", "told:")
    } == {28}


def test_no_error_names_an_erased_subject(vault):
    place = domain(vault)
    clean(CANARY, place)
    place.erase(CANARY)
    for act in (lambda: clean(CANARY, place), lambda: place.surrogates(CANARY)):
        with pytest.raises(VaultError) as caught:
            canary(act)
        assert CANARY not in str(caught.value)


def test_a_row_of_somebody_who_writes_to_the_store_is_no_surrogate(vault, memory):
    """Not even at the right place: what seals it is missing."""
    place = domain(vault)
    place.key("p1")
    row = place._shared.row(("taken", "SSN", "999999999"))
    memory.add([Row(row.space, row.key, bytes(60))])
    with pytest.raises(VaultError, match="changed, moved"):
        place.pseudonyms().get("", "taken", "SSN", "999999999")
