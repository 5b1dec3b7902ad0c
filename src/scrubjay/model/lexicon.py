"""What a word is known as, whatever the context: a hint for the tagger, never a finding.

A word's spelling is kept as its CRC-32 only, so that 150,000 words take less than a megabyte; two
words that share one merely share hints.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import numpy as np

from scrubjay.model.tokens import plain

KINDS = ("given", "surname", "place", "common", "country", "medical")  # a bit each


class Lexicon:
    """Words to bits of KINDS."""

    def __init__(self, known: Mapping[int, int]) -> None:
        keys = sorted(known)
        self._keys = np.array(keys, np.uint32)
        self._bits = np.array([known[key] for key in keys], np.uint8)

    @classmethod
    def of(cls, words: Mapping[str, int]) -> Lexicon:
        """From spellings."""
        known: dict[int, int] = {}
        for word, bits in words.items():
            known[_key(word)] = known.get(_key(word), 0) | bits
        return cls(known)

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """From a file that `save` wrote."""
        raw = np.fromfile(path, np.uint8)
        count = len(raw) // 5
        lexicon = cls({})
        lexicon._keys, lexicon._bits = raw[: 4 * count].view(np.uint32), raw[4 * count :]
        return lexicon

    def save(self, path: Path) -> None:
        """All keys, then all bits."""
        path.write_bytes(self._keys.astype("<u4").tobytes() + self._bits.tobytes())

    def __len__(self) -> int:
        return len(self._keys)

    def __call__(self, word: str) -> int:
        """The bits of a word, 0 for one that is not known."""
        key = np.uint32(_key(word))
        place = int(self._keys.searchsorted(key))
        known = place < len(self._keys) and self._keys[place] == key
        return int(self._bits[place]) if known else 0


def _key(word: str) -> int:
    return crc32(plain(word).encode("utf-8", "surrogatepass"))
