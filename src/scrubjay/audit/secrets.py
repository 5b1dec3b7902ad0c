"""The secrets of a log: who signs, whose keys encrypt entries, and how an entry is forgotten.

Each entry has a random key of its own. The keys of 256 neighbours are one row of the store, sealed;
to forget an entry is to write its row again without that key. A leaf stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scrubjay.audit.entry import NONCE
from scrubjay.audit.note import Signer
from scrubjay.audit.tree import SIZE, WIDTH
from scrubjay.errors import AuditError
from scrubjay.keys import Key
from scrubjay.vault.store import Row, Store

Dice = Callable[[int], bytes]
GONE = bytes(SIZE)


class Sealer:
    """Seals what must lie on a disk, under a key derived from the machine's secret."""

    def __init__(self, key: Key, purpose: str, dice: Dice) -> None:
        self._cipher = AESGCM(key.derive(purpose))
        self._dice = dice

    def seal(self, data: bytes, place: str) -> bytes:
        """Sealed for a place."""
        nonce = self._dice(NONCE)
        return nonce + self._cipher.encrypt(nonce, data, place.encode())

    def open(self, data: bytes, place: str) -> bytes | None:
        """None if it was not sealed so."""
        try:
            return self._cipher.decrypt(data[:NONCE], data[NONCE:], place.encode())
        except (InvalidTag, ValueError):
            return None


class Secrets:
    """What a log is written with. `auditors` are age recipients, who get the first key."""

    def __init__(self, signer: Signer, secret: Key, store: Store, auditors: Sequence[str]) -> None:
        self.signer = signer
        self.secret = secret
        self.store = store
        self.auditors = tuple(auditors)

    def __repr__(self) -> str:
        return f"Secrets({self.signer.name!r})"


class EntryKeys:
    """The keys of one log's entries."""

    def __init__(self, origin: str, secret: Key, store: Store, dice: Dice) -> None:
        self._space = f"audit/{origin}"
        self._sealer = Sealer(secret, f"audit entry keys {origin}", dice)
        self._store = store
        self._dice = dice
        self._block: tuple[int, bytes] = (-1, b"")

    def need(self, first: int, last: int) -> list[bytes]:
        """The keys for entries first to last, half-open, made durable where they are new. Where an
        older store was put back, that lacks the row of entries before, those keys are gone."""
        blocks = range(first // WIDTH, -(-last // WIDTH))
        if self._block[0] == first // WIDTH:
            held, new = self._block[1], blocks[1:]
        else:
            held, new = b"", blocks
        rows = held + b"".join(self._made(new, first)) if new else held
        if blocks:
            self._block = (blocks[-1], rows[-WIDTH * SIZE :])
        start = first - blocks.start * WIDTH
        return [rows[at * SIZE : (at + 1) * SIZE] for at in range(start, start + last - first)]

    def _made(self, blocks: range, first: int) -> list[bytes]:
        """The rows of blocks; the first may be there already, or one that was prepared in vain."""
        found = self._store.get(self._space, [_row(block) for block in blocks])
        made = {
            block: self._dice(WIDTH * SIZE) if block * WIDTH >= first else self._rest(first % WIDTH)
            for block, row in zip(blocks, found, strict=True)
            if row is None
        }
        rows = [Row(self._space, _row(at), self._seal(at, data)) for at, data in made.items()]
        if rows and not self._store.add(rows):
            raise AuditError(f"{self._space}: another log of this name writes to the same store")
        return [
            made[block] if row is None else self._open(block, row)
            for block, row in zip(blocks, found, strict=True)
        ]

    def _rest(self, gone: int) -> bytes:
        return GONE * gone + self._dice((WIDTH - gone) * SIZE)

    def rows(self, size: int) -> int:
        """How many rows the store has, found from the end of a log of this size."""
        row = size // WIDTH
        while self._has(row):
            row += 1
        while row and not self._has(row - 1):
            row -= 1
        return row

    def _has(self, row: int) -> bool:
        return self._store.get(self._space, [_row(row)]) != [None]

    def block(self, index: int) -> list[bytes | None]:
        """The keys of one block; none for entries that were forgotten."""
        row = self._store.get(self._space, [_row(index)])[0]
        if row is None:
            return [None] * WIDTH
        data = self._open(index, row)
        keys = [data[at : at + SIZE] for at in range(0, len(data), SIZE)]
        return [None if key == GONE else key for key in keys]

    def forget(self, numbers: Iterable[int]) -> None:
        """Take keys out of the store beyond recovery."""
        wanted = set(numbers)
        blocks = sorted({number // WIDTH for number in wanted})
        rows = []
        for index in blocks:
            keys = self.block(index)
            kept = (
                GONE if key is None or index * WIDTH + at in wanted else key
                for at, key in enumerate(keys)
            )
            rows.append(Row(self._space, _row(index), self._seal(index, b"".join(kept))))
        self._store.change(rows)
        self._block = (-1, b"")

    def _seal(self, block: int, data: bytes) -> bytes:
        return self._sealer.seal(data, f"{self._space}/{block}")

    def _open(self, block: int, row: bytes) -> bytes:
        data = self._sealer.open(row, f"{self._space}/{block}")
        if data is None or len(data) != WIDTH * SIZE:
            first = block * WIDTH
            raise AuditError(
                f"{self._space}: the keys of entries {first} to {first + WIDTH - 1} do not open;"
                " the root key is another one, or the store was changed"
            )
        return data


def _row(block: int) -> bytes:
    return block.to_bytes(8, "big")
