"""Rewriting history: the log as somebody who has taken the machine over would like it to be.

The attacker holds all that the machine holds at that time: the folder, the journal, the signing
key, the root key, the store, the ratchet's key of now. Not: the first key, an older copy of the
log, heads that others remember.
"""

import sys
from pathlib import Path

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("pyrage")

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from audit_world import ENTRY, ORIGIN, World, private

from scrubjay.audit import journal, log, note, ratchet, tiles, tree, verify
from scrubjay.audit.entry import HEAD, Entry, box, encode, leaf
from scrubjay.errors import AuditError

SIZE = 300


@pytest.fixture
def world():
    world = World()
    world.create().append([ENTRY] * SIZE)
    return world


def leaves(world, size=SIZE):
    there = tiles.Tiles(world.disk, world.place.folder, size)
    return [there.leaf(number) for number in range(size)]


def key_of_now(world):
    found = journal.Journal(
        world.disk, world.place.state / "journal", world.secrets.secret, world.dice.randbytes
    ).read()
    return found.key


def rewrite(world, new, key=None):
    """Make the folder that of these leaves, whole and signed, sealed with the key of now."""
    edge, tail = tree.Edge(), []
    files = tiles.grow(edge, tail, new, [tree.leaf(one) for one in new])
    for name, data in (files | tiles.unfinished(edge, tail)).items():
        world.change(name, data)
    head = tree.Head(edge.size, edge.root())
    world.change("checkpoint", note.signed(head, world.secrets.signer, key or key_of_now(world)))


def forged(world, number, key):
    """An entry of the attacker's, under the entry's true key."""
    data = encode(Entry("mallory", "r", "a", "done", time=1))
    entry_key = world.keys.block(number // 256)[number % 256]
    return leaf(box(data, ORIGIN, number, key=entry_key, nonce=bytes(12)), number, key)


def found(world, match, **how):
    with pytest.raises(AuditError, match=match):
        world.verify(**how)


@pytest.mark.parametrize("number", [0, 17, 256, SIZE - 1])
def test_a_rewritten_entry_that_is_signed_again(world, number):
    """All is consistent and signed with the true key. Only the tag cannot be made."""
    new = leaves(world)
    new[number] = forged(world, number, key_of_now(world))
    rewrite(world, new)
    assert world.verify(first=False).head.size == SIZE, "the signature alone tells nothing"
    found(world, f"entry {number} is not what was logged")


def test_what_is_logged_after_the_take_over_is_the_attackers(world):
    """The limit of the claim: from now on the key is known."""
    new = [*leaves(world), forged(world, SIZE, key_of_now(world))]
    rewrite(world, new, ratchet.after(key_of_now(world)))
    assert world.verify().head.size == SIZE + 1


def test_no_older_key_stays_on_the_disk(world):
    keys = {ratchet.forward(world.first, n) for n in range(SIZE)}
    sealer = journal.Sealer(world.secrets.secret, "audit ratchet", world.dice.randbytes)
    data = world.disk.read(world.place.state / "journal")
    slots = [data[at : at + journal.SLOT] for at in journal.SLOTS]
    held = [sealer.open(slot[8:], str(int.from_bytes(slot[:8], "big"))) for slot in slots]
    assert held == [key_of_now(world)] * 2 and not keys & set(held)
    assert not any(key in data for key in keys)


def test_the_end_cut_off_and_signed_again(world):
    rewrite(world, leaves(world)[:200])
    assert world.verify(first=False).head.size == 200
    found(world, "entry 200 is missing: the checkpoint lacks the seal")


def test_the_end_cut_off_and_resumed(world):
    """Shorter, then as long again with other entries."""
    new, key = leaves(world)[:200], key_of_now(world)
    new += [forged(world, number, key) for number in range(200, SIZE)]
    rewrite(world, new)
    found(world, "entry 200 is not what was logged")


def test_an_old_copy_put_back():
    """Whoever kept a copy from before has its true seal: only memory helps."""
    world = World()
    made = world.create()
    made.append([ENTRY] * 10)
    before = world.disk.files()
    made.append([ENTRY] * 10)
    made.publish()
    seen = made.head
    after = world.disk.files()
    for path, data in before.items():
        world.disk.write(path, data)
    assert world.verify().head.size == 10
    found(world, "entry 10 is missing: the head of 20 entries that is remembered", seen=[seen])
    for path, data in after.items():
        if "state" in path.parts[1]:
            world.disk.write(path, data)
    with pytest.raises(AuditError, match="an old copy; 20 entries were logged"):
        world.open()


def test_an_old_copy_of_the_journal_put_back():
    world = World()
    made = world.create()
    made.append([ENTRY] * 10)
    path = world.place.state / "journal"
    old = world.disk.read(path)
    made.append([ENTRY] * 10)
    world.disk.write(path, old)
    with pytest.raises(AuditError, match="the journal knows 10"):
        world.open()


@pytest.mark.parametrize("first", [True, False])
def test_two_entries_of_one_batch_exchanged(world, first):
    new = leaves(world)
    new[5], new[6] = new[6], new[5]
    before = world.verify().head
    rewrite(world, new)
    match = "entry 5 is not" if first else "not the log that it was"
    found(world, match, first=first, seen=[before])


def test_an_entry_put_in_and_one_taken_out(world):
    whole = leaves(world)
    rewrite(world, [*whole[:50], forged(world, 50, key_of_now(world)), *whole[50:]])
    found(world, "entry 50 is not what was logged")
    rewrite(world, whole[:50] + whole[51:])
    found(world, "entry 50 is not what was logged")


def test_two_logs_mixed(world):
    """Bundles of a log that has the same name and the same signing key."""
    other = World(seed=1)
    other.dice.random()
    other.create().append([ENTRY] * SIZE)
    rewrite(world, [*leaves(world)[:256], *leaves(other)[256:]])
    found(world, "entry 256 is not what was logged")
    world.secrets.signer = note.Signer("audit.example/other", private(1))
    found(world, "not signed by audit.example/other")


def test_two_views_of_one_log(world):
    """Each is whole and signed; one who remembers the head of the one finds the other out."""
    head = world.verify().head
    new = leaves(world)
    new[7] = new[7][:HEAD] + bytes(len(new[7]) - HEAD)
    rewrite(world, new)
    fork = world.verify(first=False).head
    found(world, "one of which was changed, or the log was forked", first=False, seen=[head])
    there = tiles.Tiles(world.disk, world.place.folder, SIZE)
    assert not tree.consistent(head, fork, tree.consistency(there.hashes, SIZE, SIZE))


def test_another_signing_key(world):
    world.open().publish()
    mine = note.Signer(ORIGIN, private(66))
    data = note.signed(world.verify().head, mine, key_of_now(world))
    world.change("checkpoint", data)
    found(world, r"not signed by .* with the key you trust")
    with pytest.raises(AuditError, match="not signed by"):
        world.open()


def test_the_first_key_exchanged_with_the_whole_log(world):
    """Who makes all anew makes a new first key: the auditor's own copy of first.age tells."""
    other = World(seed=2)
    other.secrets.signer = world.secrets.signer
    other.create().append([ENTRY] * SIZE)
    other.first = world.first
    found(other, "entry 0 is not what was logged")


def test_a_record_slipped_into_the_journal(world):
    path = world.place.state / "journal"
    data = bytearray(world.disk.read(path))
    known = journal.Journal(world.disk, path, world.secrets.secret, bytes)
    known.read()
    end = known.end
    raw = b"\x92\xcd\x01\x2c\x91\xc4\x01x"  # a batch, without the root key
    data[end : end + 36 + len(raw)] = len(raw).to_bytes(4, "big") + bytes(32) + raw
    world.disk.write(path, bytes(data))
    assert world.open().head.size == SIZE


def test_tiles_changed_under_an_open_log():
    world = World()
    made = world.create()
    made.append([ENTRY] * 5)
    made.publish()
    name = tiles.name(0, 0, 5)
    world.change(name, bytes(160))
    with pytest.raises(AuditError, match="right edge"):
        world.open()
    found(world, "entry 0 is not")


def test_a_proof_for_another_log(world):
    proof = verify.prove(world.place.folder, 3, world.disk)
    trusted = verify.Trusted(note.Signer(ORIGIN, private(5)).verifier)
    with pytest.raises(AuditError, match="not signed by"):
        verify.check_proof(proof, trusted)


def test_the_log_is_never_spooled_for_re_identification():
    assert {"restore", "restore.run", "reveal", "reveal.run", "breakglass.start"} <= log.AT_ONCE
