"""The log as docs/spec/audit.md has it: what is durable, what is found, what stays secret."""

import json
import subprocess
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("cryptography")
pyrage = pytest.importorskip("pyrage")

from audit_world import AUDITOR, ENTRY, ORIGIN, START, World, private  # noqa: E402

from scrubjay.audit import journal, log, note, query, simulated, tiles, tree, verify  # noqa: E402
from scrubjay.audit.entry import Entry, decode, details, digest, encode  # noqa: E402
from scrubjay.audit.secrets import Secrets  # noqa: E402
from scrubjay.errors import AuditError, UsageError  # noqa: E402
from scrubjay.keys import Key  # noqa: E402


@pytest.fixture
def world():
    return World()


# The tree


def plain_root(leaves):
    """RFC 6962, 2.1, as it is written."""
    if len(leaves) < 2:
        return tree.leaf(leaves[0]) if leaves else tree.EMPTY
    cut = 1 << (len(leaves) - 1).bit_length() - 1
    return tree.node(plain_root(leaves[:cut]), plain_root(leaves[cut:]))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 255, 256, 257, 511, 513, 700])
def test_the_edge_has_the_root_of_rfc_6962(size):
    leaves = [b"%d" % n for n in range(size)]
    edge = tree.Edge()
    edge.add(map(tree.leaf, leaves))
    assert edge.root() == plain_root(leaves) and edge.size == size


def test_tiles_are_those_of_tlog_tiles():
    """70,000 leaves: the example of the specification."""
    edge = tree.Edge()
    filled = edge.add(bytes([n % 256]) * 32 for n in range(70_000))
    assert sum(tile.level == 0 for tile in filled) == 273
    assert [(tile.level, tile.place, tile.width) for tile in edge.tiles()] == [
        (0, 273, 112), (1, 1, 17), (2, 0, 1),
    ]  # fmt: skip
    assert tiles.name(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.name(tiles.ENTRIES, 0, 7) == "tile/entries/000.p/7"


def test_proofs_prove_and_nothing_else_does():
    sizes, dice = [1, 2, 3, 7, 8, 255, 256, 257, 600], Random(3)
    leaves = [tree.leaf(b"%d" % n) for n in range(600)]
    whole = {n: tree.Edge() for n in sizes}
    for size, edge in whole.items():
        edge.add(leaves[:size])
    for size in sizes:
        head = tree.Head(size, whole[size].root())
        hashes = stored(leaves[:size])
        for number in {0, size - 1, dice.randrange(size)}:
            path = tree.inclusion(hashes, number, size)
            assert tree.included(leaves[number], number, size, path) == head.root
            assert tree.included(leaves[number], number, size, [*path, head.root]) is None
            if path:
                assert tree.included(leaves[number], number ^ 1, size, path) != head.root
        for old in (n for n in sizes if n <= size):
            before = tree.Head(old, whole[old].root())
            path = tree.consistency(hashes, old, size)
            assert tree.consistent(before, head, path)
            assert not tree.consistent(before._replace(root=bytes(32)), head, path)


def stored(leaves):
    def hashes(level, first, last):
        if not level:
            return leaves[first:last]
        below = [hashes(level - 1, at * 256, at * 256 + 256) for at in range(first, last)]
        return [tree.root(row) for row in below]

    return hashes


# Notes


def test_the_example_of_tlog_cosignature_is_read():
    data = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
        "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNi"
        "IDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    ).encode()
    read = note.parse(data)
    assert note.head(read, "example.com/behind-the-sofa").size == 20852163
    assert bytes(read) == data and len(read.signatures) == 2


def test_keys_travel_as_vkeys():
    signer = note.Signer(ORIGIN, private(4))
    assert note.verifier(str(signer.verifier)) == signer.verifier
    assert note.verifier(str(signer.witness)) == signer.witness != signer.verifier
    with pytest.raises(UsageError, match="id is not that of its key"):
        note.verifier(str(signer.verifier).replace("+", "x+", 1))
    assert "secret" in repr(signer)


# Appending


def test_entries_come_back(world):
    made = world.create()
    assert made.append([ENTRY] * 3) == range(3)
    assert made.append([]) == range(3, 3)
    again = world.open()
    assert again.append([Entry("bo", "audit", "query", "done", reason="é\u2028\n")]) == range(3, 4)
    entries = [item.entry for item in world.read()]
    assert [entry.who for entry in entries] == ["ada"] * 3 + ["bo"]
    assert entries[0].time == query.stamp(START) + 1000
    assert world.verify() == verify.Verified(again.head, True, 0)


@pytest.mark.parametrize("batches", [[255, 1, 1], [256, 256], [300, 300], [1] * 5, [513, 1]])
def test_any_batches_make_the_same_tree(batches):
    world = World()
    made = world.create()
    for size in batches:
        made.append([ENTRY] * size)
    made.publish()
    found = world.verify()
    total = sum(batches)
    leaves = [tiles.Tiles(world.disk, world.place.folder, total).leaf(n) for n in range(total)]
    assert found.head == tree.Head(total, plain_root(leaves))
    assert len(world.read()) == total


def test_two_that_have_it_open_take_turns(world):
    one, other = world.create(), world.open()
    for n, writer in zip(range(6), [one, other, other, one, one, other], strict=True):
        assert writer.append([ENTRY]) == range(n, n + 1)
    assert world.verify().head == other.head


def test_the_folder_is_a_second_behind_at_most_and_never_for_re_identification(world):
    world.tick = timedelta(milliseconds=300)
    made = world.create()
    shown = [made.append([ENTRY]) and world.shown for _ in range(9)]
    assert shown == [1, 1, 1, 1, 5, 5, 5, 5, 9]
    for number, action in enumerate(sorted(log.AT_ONCE), 10):
        made.append([Entry("ada", "re-identify", action, "done")])
        assert world.shown == number
    world.tick = -timedelta(hours=1)
    made.append([ENTRY])
    assert world.shown == made.head.size, "a clock set back holds nothing up"
    world.tick = timedelta()
    made.append([ENTRY])
    assert world.shown < made.head.size == world.open().head.size == world.shown


def test_what_others_wrote_is_read_on(world, monkeypatch):
    """Not all of the journal anew, unless they began it anew, wrote much or were killed."""
    made, other = world.create(), world.open()
    whole = []
    read = journal.Journal.read
    monkeypatch.setattr(journal.Journal, "read", lambda self: whole.append(1) or read(self))
    for n in range(40):
        (made, other)[n % 2].append([ENTRY] * (n % 7))
    assert not whole and made.append([]).start == other.head.size
    other.append([Entry("ada", "r", "a", "done", about="z" * 50_000)] * 2)
    assert made.append([ENTRY]) and len(whole) == 1
    other.publish()
    assert made.append([ENTRY]) and len(whole) == 2
    world.place.disk.fuse = world.place.disk.steps + 2
    with pytest.raises(simulated.Killed):
        other.append([ENTRY])
    assert made.append([ENTRY]) and len(whole) == 3
    made.publish()
    assert world.verify().head == made.head


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from audit_world import ENTRY, World
from scrubjay.audit import log
from scrubjay.vault.sqlite import SQLite
folder, seed = Path(sys.argv[2]), int(sys.argv[3])
world = World(log.FILES, folder / "log")
world.secrets.store = SQLite(folder / "db", bytes(32), create=False)
made = log.Log.open(world.place, world.secrets, world.clock)
for size in [1, 3, 300, 1, 1, 20, 1, 2, 700, 1] * 4:
    print(*made.append([ENTRY] * size), flush=True)
"""


def test_processes_take_turns_and_one_is_killed(tmp_path, monkeypatch):
    """Three write at once, one is killed: every number once, and all that was told is there."""
    pytest.importorskip("apsw")
    from scrubjay.vault.sqlite import SQLite

    world = World(log.FILES, tmp_path / "log")
    world.store = world.secrets.store = SQLite(tmp_path / "db", bytes(32), create=True)
    world.create()
    command = [sys.executable, "-c", WRITER, str(Path(__file__).parent), str(tmp_path)]
    running = [
        subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(3)
    ]
    lines = [running[0].stdout.readline() for _ in range(5)]
    running[0].kill()
    told = [
        *lines,
        *(line for one in running for line in one.communicate(timeout=60)[0].split("\n")),
    ]
    assert [one.returncode for one in running] == [-9, 0, 0]
    numbers = [int(number) for line in told for number in line.split()]
    assert len(set(numbers)) == len(numbers) > 2 * 4 * 1030
    head = world.open().head
    assert max(numbers) < head.size and world.verify().head == head
    assert all(item.entry for item in world.read())


def test_real_files_are_for_their_owner_alone(tmp_path):
    world = World(log.FILES, tmp_path / "log")
    made = world.create()
    for size in (1, 255, 1, 600):
        made.append([ENTRY] * size)
    made.publish()
    assert world.verify().head.size == 857
    assert world.open().append([ENTRY]) == range(857, 858)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o77 for path in files} == {0}
    assert not list(tmp_path.glob("log/tile/entries/000.p/*")), "the whole one is there"


def test_nothing_is_created_over_a_log(world):
    world.create().append([ENTRY])
    with pytest.raises(UsageError, match="there already"):
        world.create()
    with pytest.raises(AuditError, match="is missing"):
        World().open()


def test_an_entry_that_is_too_long_is_refused_whole(world):
    made = world.create()
    with pytest.raises(AuditError, match="too long"):
        made.append([ENTRY, Entry("ada", "x", "y", "done", about="z" * 70_000)])
    assert made.append([ENTRY]) == range(1)
    assert world.verify().head.size == 1


def test_no_repr_and_no_file_tells_anything(world):
    secret = "Zebulon-Quixote"
    entry = Entry(secret, secret, "anonymize", "done", reason=secret, details=secret)
    world.create().append([entry])
    assert not any(secret.encode() in data for data in world.disk.files().values())
    assert secret not in f"{entry!r} {world.secrets!r}"
    found = world.read()[0].entry
    assert found.details != secret and details(found, AUDITOR) == secret
    with pytest.raises(AuditError, match="other auditors"):
        details(found, pyrage.x25519.Identity.generate())


def test_entries_are_canonical_json():
    entry = Entry("ada", "r", "a", "done", counts={"b": 1, "a": 2}, reason='\x1f"é', time=5)
    data = encode(entry)
    want = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data == want.encode() and decode(data) == entry
    assert digest(Key(bytes(32)), b"x") != digest(Key(b"1" * 32), b"x")


# Killed


def work(world, acknowledged):
    """Appends of all sizes; what was acknowledged is noted."""
    made = world.create()
    acknowledged.append(0)
    for size in (2, 254, 1):
        made.append([ENTRY] * size, spool=size == 2)
        acknowledged.append(acknowledged[-1] + size)
    made.publish()


def killed(fuse, dice):
    """The world after it was killed at a step, and how many entries were acknowledged."""
    world, acknowledged = World(simulated.Disk(fuse)), []
    with pytest.raises(simulated.Killed):
        work(world, acknowledged)
    return world, acknowledged


def steps():
    world = World()
    work(world, [])
    return world.disk.steps


def test_killed_at_any_write_nothing_acknowledged_is_lost(monkeypatch):
    monkeypatch.setattr(log, "SETTLE", 60_000)  # so that it happens in between
    dice = Random(1)
    for fuse in range(1, steps()):
        world, acknowledged = killed(fuse, dice)
        after = world.disk.crash(dice)
        if not acknowledged:
            continue
        made = world.open(after)
        size = made.head.size
        assert size >= acknowledged[-1], fuse
        assert made.append([ENTRY]) == range(size, size + 1)
        assert world.verify().head == made.head, fuse
        assert all(item.entry for item in world.read())


def test_killed_twice(monkeypatch):
    """Again while it repairs."""
    monkeypatch.setattr(log, "SETTLE", 60_000)
    dice = Random(5)
    for fuse in range(20, steps(), 11):
        world, acknowledged = killed(fuse, dice)
        if not acknowledged:
            continue
        disk = world.disk.crash(dice)
        for again in count(1, 4):
            disk.fuse, disk.steps = again, 0
            try:
                made = world.open(disk)
                break
            except simulated.Killed:
                disk = disk.crash(dice)
        disk.fuse = -1
        assert made.head.size >= acknowledged[-1]
        assert made.append([ENTRY]) and world.verify().head == made.head


def test_a_create_that_was_killed_can_be_done_again():
    dice = Random(7)
    for fuse in count(1):
        world = World(simulated.Disk(fuse))
        try:
            world.create()
            break
        except simulated.Killed:
            world.place = world.place._replace(disk=world.disk.crash(dice))
            world.disk = world.place.disk
        try:
            made = world.create()
        except UsageError:
            made = world.open()
            world.first = verify.first_key(world.disk.read(Path("/log/first.age")), AUDITOR)
        made.append([ENTRY])
        assert world.verify().head.size == 1


# The folder out of reach


def test_what_the_folder_cannot_take_waits_in_order(world, monkeypatch):
    made = world.create()
    made.append([ENTRY])
    made.append([ENTRY], spool=True)
    assert made.append([ENTRY] * 256, spool=True) == range(2, 258)
    made.append([ENTRY])
    assert world.verify().head.size == 259, "one without it drains what waits"
    world.disk.away = world.place.folder
    with pytest.raises(AuditError, match="nothing was released"):
        made.append([ENTRY])
    assert made.append([ENTRY] * 2, spool=True) == range(260, 262), (
        "259 is logged, though it raised"
    )
    with pytest.raises(UsageError, match="re-identification is logged at once"):
        made.append([Entry("ada", "re-identify", "reveal", "done")], spool=True)
    made = world.open()
    assert made.append([ENTRY], spool=True) == range(262, 263)
    monkeypatch.setattr(log, "SPOOL", 1)
    with pytest.raises(AuditError, match="the spool is full"):
        made.append([ENTRY], spool=True)
    monkeypatch.undo()
    world.disk.away = None
    assert made.append([Entry("ada", "re-identify", "reveal", "done")]) == range(263, 264)
    assert world.verify().head.size == 264


def test_a_journal_that_cannot_be_written_is_an_error(world):
    made = world.create()
    world.disk.away = world.place.state
    with pytest.raises(AuditError, match="nothing was released"):
        made.append([ENTRY], spool=True)
    world.disk.away = None
    assert made.append([ENTRY]) == range(1)


# Forgetting


def test_what_was_forgotten_is_gone_and_the_tree_stands(world):
    made = world.create()
    made.append([Entry("ada", "r", "a", "done", subject="s1"), ENTRY, ENTRY])
    before, act = made.head, Entry("dpo", "administer", "forget", "done")
    with pytest.raises(AuditError, match="entry 0 must be kept; nothing was forgotten"):
        made.forget([0, 2], act)
    world.now = START.replace(year=START.year + 7)
    with pytest.raises(AuditError, match="entry 0 must be kept"):
        made.forget([0, 2], act, held={"s1"})
    assert made.head == before and made.forget([0, 2], act) == 3
    assert [bool(item.entry) for item in world.read()] == [False, True, False, True]
    assert world.verify([before]).head.size == 4
    assert made.append([ENTRY]) == range(4, 5)
    with pytest.raises(UsageError, match="nothing was forgotten"):
        made.forget([77], ENTRY)


def test_another_root_key_reads_nothing(world):
    world.create().append([ENTRY])
    world.secrets = Secrets(
        world.secrets.signer, Key(bytes(32)), world.store, world.secrets.auditors
    )
    with pytest.raises(AuditError, match="do not open"):
        world.read()
    with pytest.raises(AuditError, match="another root key"):
        world.open()


# Verifying


@pytest.mark.parametrize(("size", "most"), [(3, 10_000), (257, 12)])
def test_every_flipped_byte_is_found(size, most):
    """In each file that a reader of the checkpoint of now reads: all bytes of a small log, some of
    each file of a larger one."""
    world = World()
    made = world.create()
    made.append([ENTRY] * size)
    made.publish()
    good, dice = world.verify().head, Random(1)
    for path, data in world.disk.files().items():
        if path.parts[1] != "log" or path.name == log.FIRST:
            continue
        few = sorted(dice.sample(range(len(data)), min(most, len(data))))
        for at in few:
            bad = bytearray(data)
            bad[at] ^= 1 << dice.randrange(8)
            world.disk.write(path, bytes(bad))
            try:
                world.verify([good])
                pytest.fail(f"{path} byte {at}")
            except AuditError:
                pass
        world.disk.write(path, data)
    assert world.verify([good]).head == good


def test_the_first_bad_entry_is_named(world):
    world.create().append([ENTRY] * 600)
    for number in (0, 255, 256, 599):
        place = number // 256
        name = tiles.name(tiles.ENTRIES, place, min(256, 600 - place * 256))
        data = world.disk.read(world.place.folder / name)
        leaves = tiles.unbundle(data)
        leaves[number % 256] = leaves[number % 256][:-1] + b"!"
        world.change(name, tiles.bundle(leaves))
        with pytest.raises(AuditError, match=f"entry {number} is not what was logged"):
            world.verify(first=False)
        world.change(name, data)


def test_processes_find_the_same(tmp_path):
    world = World(log.FILES, tmp_path / "log")
    world.create().append([ENTRY] * 700)
    trusted = verify.Trusted(world.secrets.signer.verifier, (), world.first)
    assert verify.verify(tmp_path / "log", trusted, processes=2) == world.verify()
    name = tiles.name(tiles.ENTRIES, 1)
    world.change(name, world.disk.read(world.place.folder / name)[:-5])
    with pytest.raises(AuditError, match="entry 511 is not"):
        verify.verify(tmp_path / "log", trusted, processes=2)


def test_one_entry_is_proved_from_few_files(world):
    made = world.create()
    made.append([ENTRY] * 600)
    trusted = verify.Trusted(world.secrets.signer.verifier)
    proof = verify.prove(world.place.folder, 321, world.disk)
    assert verify.check_proof(proof, trusted) == made.head
    with pytest.raises(AuditError, match="entry 320 is not in the log"):
        verify.check_proof(proof._replace(number=320), trusted)
    with pytest.raises(UsageError, match="no entry 600"):
        verify.prove(world.place.folder, 600, world.disk)


def test_heads_are_remembered(world, tmp_path):
    world.create().append([ENTRY])
    head = world.verify().head
    assert verify.remembered(tmp_path / "heads") == []
    verify.remember(tmp_path / "heads", head)
    assert verify.remembered(tmp_path / "heads") == [head] == [note.read_paper(note.paper(head))]


def test_witnesses_vouch_and_are_believed_only_if_known(world):
    made = world.create()
    made.append([ENTRY])
    witness = note.Signer("witness.example", private(9))
    read = note.parse(world.disk.read(world.place.folder / "checkpoint"))
    line = witness.cosign(read.text, 1_800_000_000)
    made.witnessed(bytes(read) + str(line).encode(), [witness.witness])
    made.append([ENTRY])
    assert world.verify(witnesses=(witness.witness,)).witnessed == 1
    assert world.verify().witnessed == 0
    with pytest.raises(AuditError, match="no witness's cosignature"):
        made.witnessed(bytes(read), [witness.witness])


# Anything, in any order

STEP = st.one_of(
    st.tuples(st.just("append"), st.sampled_from([1, 2, 100, 256]), st.booleans()),
    st.tuples(st.sampled_from(["away", "back", "publish", "open", "other", "fast", "slow"])),
    st.tuples(st.just("kill"), st.integers(1, 12), st.integers(0, 99)),
)


@settings(max_examples=15, derandomize=True)
@given(st.lists(STEP, max_size=12))
def test_whatever_happens_nothing_acknowledged_is_lost(what):
    world = World()
    made, other, acknowledged = world.create(), world.open(), 0
    for step in what:
        disk = world.place.disk
        try:
            if step[0] == "append":
                acknowledged = made.append([ENTRY] * step[1], spool=step[2]).stop
            elif step[0] == "kill":
                disk.fuse = disk.steps + step[1]
                acknowledged = made.append([ENTRY] * 3, spool=True).stop
                disk.fuse = -1
            elif step[0] in ("fast", "slow"):
                world.tick = timedelta(milliseconds=1 if step[0] == "fast" else 1500)
            elif step[0] == "other":
                made, other = other, made
            elif step[0] in ("away", "back"):
                disk.away = world.place.folder if step[0] == "away" else None
            else:
                made = world.open() if step[0] == "open" else made.publish() or made
        except AuditError:
            assert disk.away, "nothing else can fail here"
        except simulated.Killed:
            made = world.open(disk.crash(Random(step[2])))
            other = world.open()
    world.place.disk.away = None
    made = world.open()
    made.publish()
    assert made.head.size >= acknowledged and world.verify().head == made.head
