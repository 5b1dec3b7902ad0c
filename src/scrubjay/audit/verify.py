"""Whether a log is what was written: every change has a place, and this names the first.

    verify   the whole log, against what is remembered of it
    prove    one entry, for somebody who has only a checkpoint

Neither needs a key that could read an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pyrage
from msgspec import Struct

from scrubjay import home
from scrubjay.audit import note, ratchet, tiles, tree
from scrubjay.audit.disk import FILES, Disk
from scrubjay.audit.entry import HEAD, VERSION
from scrubjay.audit.log import WITNESSED
from scrubjay.audit.tiles import Tiles
from scrubjay.audit.tree import WIDTH, Edge, Head, Tile
from scrubjay.errors import AuditError, UsageError

AT_ONCE = 32  # bundles that a process takes at a time


class Trusted(Struct, frozen=True):
    """Whom a verifier believes: the log's key, witnesses, and the ratchet's first key if it is an
    auditor's."""

    log: note.Verifier
    witnesses: tuple[note.Verifier, ...] = ()
    first: bytes = b""

    def __repr__(self) -> str:
        return f"Trusted({self.log.name!r})"


class Verified(NamedTuple):
    """What was found whole. `chained`: the first key was there to check tags and seal."""

    head: Head
    chained: bool
    witnessed: int  # entries that a witness vouches for


class Proof(NamedTuple):
    """That an entry is in a tree: `tree.included` leads from the leaf to the checkpoint's root."""

    number: int
    leaf: bytes
    path: list[bytes]
    checkpoint: bytes


def first_key(sealed: bytes, auditor: pyrage.x25519.Identity) -> bytes:
    """The ratchet's first key, out of the copy of `first.age` that the auditor took away."""
    try:
        key: bytes = pyrage.decrypt(sealed, [auditor])
    except pyrage.DecryptError:
        raise AuditError("first.age is damaged, or sealed to another auditor's key") from None
    return key


def verify(
    folder: Path,
    trusted: Trusted,
    seen: Sequence[Head] = (),
    *,
    disk: Disk = FILES,
    processes: int = 1,
) -> Verified:
    """Read all of a log. `seen` are heads that it had once, from `remembered` or from paper. What
    is not as it was written is an `AuditError` that names the first bad entry."""
    checkpoint, head = _checkpoint(disk, folder, trusted)
    heads = {f"the head of {one.size} entries that is remembered": one for one in seen}
    witnessed = _witnessed(disk, folder, trusted)
    if witnessed:
        heads["the head that witnesses signed"] = witnessed
    for what, one in heads.items():
        if one.size > head.size:
            raise AuditError(
                f"{folder}: entry {head.size} is missing: {what} has {one.size} entries"
            )
    heads["the signed checkpoint"] = head
    key = _walk(Tiles(disk, folder, head.size), trusted.first, heads, processes)
    if trusted.first and not note.sealed(checkpoint, trusted.log.name, key):
        raise AuditError(
            f"{folder}: entry {head.size} is missing: the checkpoint lacks the seal of the key that"
            f" {head.size} entries lead to, so that later ones were cut off"
        )
    return Verified(head, bool(trusted.first), witnessed.size if witnessed else 0)


def _checkpoint(disk: Disk, folder: Path, trusted: Trusted) -> tuple[note.Note, Head]:
    try:
        data = disk.read(folder / tiles.CHECKPOINT)
        return note.opened(data, trusted.log, trusted.witnesses)
    except (OSError, AuditError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else problem
        raise AuditError(f"{folder}: {tiles.CHECKPOINT}: {why}") from None


def _witnessed(disk: Disk, folder: Path, trusted: Trusted) -> Head | None:
    """The last head that a trusted witness signed, if the log keeps one."""
    try:
        data = disk.read(folder / WITNESSED)
    except OSError:
        return None
    found, head = note.opened(data, trusted.log, trusted.witnesses)
    if all(one.check(found) is None for one in trusted.witnesses):
        return None
    return head


# The walk


class _Task(NamedTuple):
    there: Tiles
    block: int
    keys: list[bytes]  # the ratchet's, for its entries and the next; none: tags are not checked
    cuts: list[int]  # the bundle's first so many entries, whose hash is asked for


def _walk(there: Tiles, first: bytes, heads: dict[str, Head], processes: int) -> bytes:
    """All bundles in order, the heads on the way, the levels above; the key after the last."""
    due = sorted(heads.items(), key=lambda item: item[1].size)
    above = Edge()  # its leaves are the roots of whole bundles
    key = first
    with _mapped(processes) as each:
        for index, (roots, after) in enumerate(each(_block, _tasks(there, first, due))):
            key = after
            for what, head in _within(due, index):
                _was(what, head, above.root(roots[head.size - index * WIDTH]))
            if WIDTH in roots:
                _same(there, above.add([roots[WIDTH]]))
    for what, head in due:
        if not head.size:
            _was(what, head, Edge().root())
    _same(there, above.tiles())
    return key


def _within(due: Sequence[tuple[str, Head]], index: int) -> list[tuple[str, Head]]:
    """The heads whose last entry is in a bundle."""
    return [item for item in due if (item[1].size - 1) // WIDTH == index and item[1].size]


def _tasks(there: Tiles, key: bytes, due: Sequence[tuple[str, Head]]) -> Iterator[_Task]:
    """A task for each bundle."""
    for index in range(-(-there.size // WIDTH)):
        width = there.width(0, index)
        keys = ratchet.keys(key, width) if key else []
        cuts = [head.size - index * WIDTH for _, head in _within(due, index)]
        yield _Task(there, index, keys, [*cuts, width])
        key = keys[-1] if keys else key


_Done = tuple[dict[int, bytes], bytes]
Each = Callable[[Callable[[_Task], _Done], Iterable[_Task]], Iterable[_Done]]


@contextmanager
def _mapped(processes: int) -> Iterator[Each]:
    """`map`, in as many processes."""
    if processes == 1:
        yield map
        return
    with get_context("spawn").Pool(processes) as pool:
        yield partial(pool.imap, chunksize=AT_ONCE)


def _block(task: _Task) -> _Done:
    """What a bundle's first entries hash to, at each cut, and the key after them all, which have
    their tags and are those of the tile."""
    there, block, keys, cuts = task
    leaves, first = there.leaves(block), block * WIDTH
    bad = _untagged(leaves, first, keys) if keys else _unversioned(leaves)
    hashes = [sha256(b"\0" + leaf).digest() for leaf in leaves]
    data = there.tile(0, block).data
    if b"".join(hashes) == data and bad == len(leaves):
        return {cut: tree.root(hashes[:cut]) for cut in cuts}, keys[-1] if keys else b""
    want = tree.split(data)
    differs = (at for at, (is_, was) in enumerate(zip(hashes, want, strict=False)) if is_ != was)
    bad = min(bad, next(differs, min(len(hashes), len(want))))
    raise AuditError(f"{there}: entry {first + bad} is not what was logged")


def _untagged(leaves: Sequence[bytes], first: int, keys: Sequence[bytes]) -> int:
    """How many leaves from the left have the ratchet's tag."""
    for at, (leaf, key) in enumerate(zip(leaves, keys, strict=False)):
        if leaf[:HEAD] != VERSION + ratchet.tag(key, first + at, leaf[HEAD:]):
            return at
    return len(leaves)


def _unversioned(leaves: Sequence[bytes]) -> int:
    """How many leaves from the left are of a version that is known."""
    other = (at for at, leaf in enumerate(leaves) if leaf[:1] != VERSION)
    return next(other, len(leaves))


def _was(what: str, head: Head, root: bytes) -> None:
    """The tree had this head once."""
    if root != head.root:
        raise AuditError(
            f"not the log that it was: {what} is not that of its first {head.size} entries, one of"
            " which was changed, or the log was forked"
        )


def _same(there: Tiles, made: Iterable[Tile]) -> None:
    """The tiles above are those that the bundles make."""
    for tile in made:
        level = tile.level + 1
        stored = there.tile(level, tile.place).data
        pairs = zip(tree.split(tile.data), tree.split(stored), strict=True)
        if bad := [at for at, (want, told) in enumerate(pairs) if want != told]:
            each = WIDTH**level
            first = (tile.place * WIDTH + bad[0]) * each
            raise AuditError(
                f"{there}: {tiles.name(level, tile.place, tile.width)} does not match the entries"
                f" {first} to {first + each - 1}: the first bad one is among them"
            )


# One entry


def prove(folder: Path, number: int, disk: Disk = FILES) -> Proof:
    """The proof of one entry, from a few files. `check_proof` believes none of them."""
    try:
        checkpoint = disk.read(folder / tiles.CHECKPOINT)
    except OSError as problem:
        raise AuditError(f"{folder}: {tiles.CHECKPOINT}: {problem.strerror}") from None
    found = note.parse(checkpoint)
    head = note.head(found, found.text.decode().partition("\n")[0])
    if not 0 <= number < head.size:
        raise UsageError(f"{folder}: no entry {number}; there are {head.size}")
    there = Tiles(disk, folder, head.size)
    path = tree.inclusion(there.hashes, number, head.size)
    return Proof(number, there.leaf(number), path, checkpoint)


def check_proof(proof: Proof, trusted: Trusted) -> Head:
    """The head that the entry is under; `AuditError` if the proof does not show that."""
    _, head = note.opened(proof.checkpoint, trusted.log, trusted.witnesses)
    found = tree.included(tree.leaf(proof.leaf), proof.number, head.size, proof.path)
    if found != head.root:
        raise AuditError(
            f"{trusted.log.name}: entry {proof.number} is not in the log as it was signed"
        )
    return head


# What is remembered


def remembered(path: Path) -> list[Head]:
    """The heads in a file, one a line; none if there is no file yet."""
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        raise AuditError(f"{path} cannot be read; give the head from paper instead") from None
    return [note.read_paper(line) for line in lines]


def remember(path: Path, head: Head) -> None:
    """Keep the newest head that was found whole, for the next `verify`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.write(path, f"{note.paper(head)}\n".encode())
    except OSError as problem:
        raise AuditError(
            f"{path}: {problem.strerror}: the log is whole, but cannot be remembered; note this"
            f" head: {note.paper(head)}, or name another file with --seen"
        ) from None
